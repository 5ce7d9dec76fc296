#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/store.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tenure::queue {
namespace {

tl::unexpected<Failure> no(std::string_view why) {
  constexpr std::string_view kWithout =
      "this control database takes sealed jobs only, and this program was built without the seal "
      "(-DTENURE_SEAL=ON)";
  return fail(ErrorCode::bad_configuration, std::string(has_secret_keys() ? why : kWithout));
}

Filter unended_jobs() {
  const std::array words{std::string("state=scheduled,ready,held,blocked,running")};
  return value_or_raise(parse_filter(words, job_filter_fields(), {}));
}

// An envelope that cannot be read is none that a key makes worse.
bool would_refuse(JobReader& reader, JobSeq seq, const KeyRing& keys) {
  const auto envelope = read_envelope(reader.envelope(seq).value_or(""));
  return envelope && !check_seal(*envelope, keys);
}

void require_none_refused(const std::optional<JobId>& refused) {
  if (!refused) return;
  raise(
      ErrorCode::bad_configuration,
      "job " + refused->text() +
          " waits, and perhaps others, and by these keys they would be refused: they were enqueued without a "
          "seal, or with one by another key. Let them end first, with the keys from before; or say the key "
          "that "
          "sealed them as security.seal_key_previous; or cancel them (tenure job cancel)");
}

JobSeq newest_job(JobReader& reader) {
  const JobPage page = reader.list_jobs({}, {.limit = 1, .after = {}, .looks_max = 1}, {});
  return page.jobs.empty() ? JobSeq{0} : page.jobs.front().seq;
}

// All that there are behind `after`, in one pass: a page of them would gather the others again. Returns up to where; BadConfiguration.
JobSeq require_waiting_accepted(Store& store, std::optional<JobSeq> after, const KeyRing& keys) {
  std::optional<JobId> refused;
  JobSeq newest;
  store.read([&](JobReader& reader) {
    newest = newest_job(reader);
    static_cast<void>(reader.visit_jobs(unended_jobs(),
                                        {.limit = std::numeric_limits<std::size_t>::max(),
                                         .after = after,
                                         .order = ListOrder::oldest_first,
                                         .looks_max = 0},
                                        {}, [&](const JobRecord& job) {
                                          if (would_refuse(reader, job.seq, keys)) refused = job.id;
                                          return !refused;
                                        }));
  });
  require_none_refused(refused);
  return newest;
}

// By the envelope, which says who the job is.
void require_accepted(std::string_view bytes, const KeyRing& keys) {
  const auto envelope = read_envelope(bytes);
  if (envelope && !check_seal(*envelope, keys)) require_none_refused(envelope->id);
}

}  // namespace

Seal seal_of(const Envelope& envelope, const KeyRing& keys) {
  return keys.hash({envelope_head(envelope), envelope.arguments});
}

Result<void> check_seal(const Envelope& envelope, const KeyRing& keys) {
  if (!keys.has_current()) return {};
  const std::string tenant = envelope.tenant ? envelope.tenant->text() : "";
  if (!envelope.seal)
    return fail(ErrorCode::bad_seal, "NotSealed: the envelope has no seal, and a key is in force", tenant,
                "envelope");
  if (keys.has_made(*envelope.seal, {envelope_head(envelope), envelope.arguments})) return {};
  return fail(ErrorCode::bad_seal, "WrongSeal: the seal is of another envelope, or by another key", tenant,
              "envelope");
}

Result<void> check_keys(const SealMarks& in_force, const KeyRing& keys) {
  if (!in_force.current) return {};
  const auto mark = keys.mark_of_current();
  if (!mark)
    return no(
        "this control database takes sealed jobs only: say in security.seal_key where its key is read from");
  if (mark == in_force.current || mark == in_force.previous) return {};
  return no("security.seal_key names another key than the one in force in this control database");
}

Result<SealMarks> marks_to_be(const SealMarks& in_force, const KeyRing& keys) {
  const SealMarks wanted{keys.mark_of_current(), keys.has_current() ? keys.mark_of_previous() : std::nullopt};
  if (!in_force.current || wanted.current == in_force.current || keys.mark_of_previous() == in_force.current)
    return wanted;
  if (!wanted.current)
    return no(
        "this control database takes sealed jobs only, and security.seal_key is empty. Say there where its "
        "key is read from; to end sealing, say it as security.seal_key_previous instead");
  return no(
      "security.seal_key names another key than the one in force in this control database. Say the right "
      "one; to exchange it, say the one in force as security.seal_key_previous");
}

SealsLookedAt look_at_seals(JobReader& reader, std::optional<JobSeq> after, std::size_t limit,
                            const KeyRing& keys) {
  const JobPage page = reader.list_jobs(
      unended_jobs(), {.limit = limit, .after = after, .order = ListOrder::oldest_first, .looks_max = 0}, {});
  SealsLookedAt looked;
  for (const JobRecord& job : page.jobs) {
    looked.last = job.seq;
    if (!would_refuse(reader, job.seq, keys)) continue;
    looked.refused = job.id;
    break;
  }
  return looked;
}

void put_in_force(Store& store, const KeyRing& keys) {
  SealMarks before;
  store.read([&](JobReader& reader) { before = reader.seal_marks(); });
  const SealMarks marks = value_or_raise(marks_to_be(before, keys));
  if (marks == before) return;
  JobSeq looked_at = require_waiting_accepted(store, std::nullopt, keys);
  looked_at = require_waiting_accepted(store, looked_at, keys);  // so that few are left for the commit
  store.write(Durability::durable, [&](StoreWriter& writer) {
    writer.visit_news(looked_at, [&](std::string_view envelope) { require_accepted(envelope, keys); });
    writer.set_seal_marks(marks);
  });
}

}  // namespace tenure::queue
