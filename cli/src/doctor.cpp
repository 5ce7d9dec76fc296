#include "doctor_checks.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

// `tenure doctor`: which checks there are, and mending. `tenure store check` is some of them, more thoroughly.
namespace tenure::cli {
namespace {

struct Check {
  std::string_view name;
  void (*run)(Examination& examination);
  bool only_by_name = false;
  bool looks_at_rows = false;  // in which are the defects that can be mended
};
constexpr std::array kChecks{
    Check{"store", check_file},          Check{"sqlite", check_library},
    Check{"holder", check_holder},       Check{"places", check_places, false, true},
    Check{"audit", check_audit},         Check{"seal", check_seal_keys},
    Check{"queues", check_queues},       Check{"kinds", check_kinds},
    Check{"quiet", check_quiet},         Check{"released", check_released},
    Check{"dangling", check_dangling},   Check{"tenants", check_tenants},
    Check{"outbox", check_outbox},       Check{"captures", check_captures},
    Check{"schedules", check_schedules}, Check{"limits", check_limits},
    Check{"batches", check_batches},     Check{"fan-outs", check_fan_outs},
    Check{"retention", check_retention}, Check{"restore", check_restore},
    Check{"stamps", check_stamps, true},
};

constexpr std::size_t kFoundAtOnce = 100'000;
constexpr std::size_t kMendedAtOnce = 500;

// Those that are named, or all that need no naming.
std::vector<const Check*> chosen_checks(const Session& session) {
  std::vector<const Check*> chosen;
  if (session.words().empty()) {
    for (const Check& check : kChecks)
      if (!check.only_by_name) chosen.push_back(&check);
    return chosen;
  }
  std::vector<std::string_view> names;
  std::ranges::transform(kChecks, std::back_inserter(names), &Check::name);
  for (const std::string& word : session.words()) {
    const auto* const found = std::ranges::find(kChecks, word, &Check::name);
    if (found == kChecks.end()) refuse_word("check", word, names);
    if (std::ranges::find(chosen, found) == chosen.end()) chosen.push_back(found);
  }
  return chosen;
}

// Found by a reader, which holds nobody up however long it looks, and mended in commits of some hundred that look at each again.
std::int64_t mend(Session& session, queue::Defect defect) {
  std::int64_t all = 0;
  while (true) {
    std::vector<queue::DefectPlace> places;
    session.readable_store().read(
        [&](queue::JobReader& reader) { places = reader.places_to_mend(defect, kFoundAtOnce); });
    std::int64_t mended = 0;
    for (std::span<const queue::DefectPlace> left = places; !left.empty();) {
      const auto some = left.first(std::min(left.size(), kMendedAtOnce));
      left = left.subspan(some.size());
      session.change([&](queue::StoreWriter& writer) {
        const std::int64_t count = writer.mend(some);
        mended += count;
        return Changed{count, std::string(name_of(defect))};
      });
    }
    all += mended;
    if (mended == 0 || places.size() < kFoundAtOnce) return all;
  }
}

// Before the checks, which say what is left. Returns what was mended.
std::vector<Mended> mend_all(Session& session) {
  std::vector<Mended> done;
  std::vector<queue::DefectRecord> defects;
  session.readable_store().read(
      [&](queue::JobReader& reader) { defects = reader.defects(queue::PageCheck::quick); });
  if (std::ranges::find(defects, queue::Defect::damaged_page, &queue::DefectRecord::defect) !=
      defects.end()) {
    session.note("nothing was mended: rows of damaged pages are not to be trusted");
    return done;
  }
  for (const queue::DefectRecord& found : defects) {
    if (!can_be_mended(found.defect)) continue;
    const std::int64_t mended = mend(session, found.defect);
    session.note(fmt::format("mended {}: {}", name_of(found.defect), number_text(mended, session.style())));
    if (mended > 0) done.push_back({name_of(found.defect), mended});
  }
  if (!done.empty()) session.wake();
  return done;
}

// What one check cannot be done for is a finding, said once, so that the others are done; where none can be done, that is the answer.
void examine(Examination& examination, const Check& check) {
  try {
    check.run(examination);
  } catch (const Error& error) {
    if (exit_code_of(error.code()) == ExitCode::usage || error.code() == ErrorCode::schema_mismatch) throw;
    const std::string text = escaped(error.failure().text(), 1024);
    if (std::ranges::find(examination.findings(), text, &Finding::text) == examination.findings().end())
      examination.add(FindingLevel::fail, check.name, text);
  }
}

}  // namespace

ExitCode store_doctor(Session& session) {
  const auto checks = chosen_checks(session);
  std::vector<Mended> mended;
  if (session.has("fix")) {
    if (std::ranges::none_of(checks, &Check::looks_at_rows))
      raise(ErrorCode::bad_options,
            "--fix mends what the check places finds, which is not among those named");
    mended = mend_all(session);
  }
  Examination examination(session);
  if (session.has("rebuild-registry"))
    if (const std::int64_t rebuilt = rebuild_registry(examination); rebuilt > 0)
      mended.push_back({"registry", rebuilt});
  for (const Check* const check : checks) examine(examination, *check);
  return print_findings(session, "tenure.doctor/1", examination.findings(), &mended);
}

ExitCode store_check(Session& session) {
  Examination examination(session);
  const queue::SchemaState schema = session.schema(queue::PageCheck::none);
  if (schema.is_older()) {
    check_pages_of_older(examination);
  } else {
    static_cast<void>(examination.defects(queue::PageCheck::full));
    check_file(examination);
    check_places(examination);
    check_audit(examination);
  }
  return print_findings(session, "tenure.store.check/1", examination.findings());
}

}  // namespace tenure::cli
