#include "known_outbox.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/outbox.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

// A tenant that has failed since its database was an older copy becomes what it was before: the right database is in place again, or the
// older one is to be it.
namespace tenure::cli {
namespace {

using queue::JobReader;
using queue::OutboxRow;
using queue::OutboxSeq;

constexpr std::size_t kRowsNamed = 20;

struct FoundOutbox {
  OutboxSeq newest{0};
  std::vector<OutboxRow> taken_over;  // under numbers that were
};

FoundOutbox found_outbox(TenantHandle& handle, const KnownOutbox& known) {
  const queue::OutboxRows rows =
      handle.read([](TenantReader& reader) { return queue::read_outbox_front(reader).rows; });
  FoundOutbox found{.newest = rows.newest, .taken_over = {}};
  std::ranges::copy_if(rows.rows, std::back_inserter(found.taken_over),
                       [&](const OutboxRow& row) { return row.seq <= known.watermark; });
  handle.sync();
  return found;
}

// An older copy that has gone on may have reached the watermark, with jobs of its own under numbers that were taken over before. They are
// deleted once the tenant is rechecked, as rows are that are jobs already.
std::vector<std::string> unknown_jobs(Session& session, const KnownOutbox& known,
                                      const std::vector<OutboxRow>& rows) {
  std::vector<std::string> unknown;
  session.readable_store().read([&](JobReader& reader) {
    for (const OutboxRow& row : rows) {
      const auto job = queue::read_outbox_row(row.text, known.owner(), {});
      if (job && reader.find_job(job->id)) continue;
      unknown.push_back(job ? fmt::format("{} ({})", row.seq.value, job->id.text())
                            : std::to_string(row.seq.value));
    }
  });
  return unknown;
}

std::string rows_named(const std::vector<std::string>& rows) {
  const std::size_t named = std::min(rows.size(), kRowsNamed);
  return fmt::format("{}{}", fmt::join(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                     rows.size() > named ? fmt::format(" and {} more", rows.size() - named) : "");
}

bool is_answered_yes(Session& session, std::string_view question, std::string_view without_answer) {
  if (session.has("yes")) return true;
  const auto answer = session.ask(question);
  if (!answer) raise(ErrorCode::bad_options, std::string(without_answer));
  if (!*answer) session.note("nothing was changed");
  return *answer;
}

bool is_agreed_to_lose(Session& session, const std::vector<std::string>& unknown) {
  if (unknown.empty()) return true;
  session.note(fmt::format(
      "{} of the rows that lie there are of jobs that the queue does not know: they were removed since they "
      "ran, or this is an older copy that has gone on, and then they are lost: {}",
      unknown.size(), rows_named(unknown)));
  return is_answered_yes(session, "Make the tenant what it was, and have these rows deleted?",
                         "say --yes to have these rows deleted, since nobody can be asked here");
}

bool is_agreed_to_older(Session& session, const KnownOutbox& known, const FoundOutbox& found) {
  session.note(fmt::format(
      "the outbox of this database has given {} numbers, and {} were taken over: what jobs and applications "
      "have done in it since the copy is gone, also the receipts of jobs that run again",
      found.newest.value, known.watermark.value));
  return is_answered_yes(session, "Take this older copy as the tenant's database?",
                         "say --yes to take an older copy, since nobody can be asked here");
}

// Dropped is what was delivered. Where this is killed behind its commit the file is no older copy any more, and a recheck says so.
void take_older(TenantHandle& handle, const KnownOutbox& known) {
  TenantTransaction transaction = handle.begin();
  clear_outbox(transaction, known.watermark.value);
  skip_outbox_numbers(transaction, known.watermark.value);
  transaction.commit();
}

void print_rechecked(Session& session, const KnownOutbox& known, const FoundOutbox& found, bool is_taken,
                     TenantState state) {
  const std::size_t there = found.taken_over.size();
  if (!session.json()) {
    session.print(fmt::format("{} is {}: its outbox has given {} numbers, and {} were taken over{}\n",
                              known.tenant.name.text(), name_of(state), found.newest.value,
                              known.watermark.value,
                              there == 0 ? ""
                              : is_taken ? fmt::format("; {} of those lay there and are deleted", there)
                                         : fmt::format("; {} of those still lie there", there)));
    return;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.recheck/1");
  write_text(writer, "name", known.tenant.name.text());
  writer.key("state").string(name_of(state));
  writer.key("newest").integer(found.newest.value).key("watermark").integer(known.watermark.value);
  writer.key("still_there").integer(is_taken ? 0 : static_cast<std::int64_t>(there));
  writer.key("accepted_older").boolean(is_taken).end_object();
  session.print_json(out);
}

}  // namespace

ExitCode tenant_recheck(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  const KnownOutbox known = known_outbox(session, name);
  FoundOutbox found;
  bool is_older = false;
  bool goes_on = true;
  with_database(session, known.tenant, HandleAccess::read_write,
                [&](TenantHandle& handle, const std::string&) {
                  found = found_outbox(handle, known);
                  is_older = found.newest < known.watermark;
                  const bool may_pass = known.behind && (!is_older || session.has("accept-older"));
                  if (!may_pass) return;  // the store says why not
                  goes_on = (!is_older || is_agreed_to_older(session, known, found)) &&
                            is_agreed_to_lose(session, unknown_jobs(session, known, found.taken_over));
                  if (goes_on && is_older) take_older(handle, known);
                });
  if (!goes_on) return ExitCode::refused;
  if (known.behind && is_older && !session.has("accept-older"))
    raise(ErrorCode::state_changed,
          fmt::format(
              "the database of {0} is an older copy still: its outbox has given {1} numbers, and {2} were "
              "taken over; put a newer one in its place, or where no newer one is left: tenure tenant "
              "recheck {0} --accept-older",
              name.text(), found.newest.value, known.watermark.value),
          name.text());
  const bool is_taken = known.behind && is_older && session.has("accept-older");
  const OutboxSeq newest = is_taken ? known.watermark : found.newest;
  TenantState state = TenantState::active;
  session.change([&](queue::StoreWriter& writer) {
    state = value_or_raise(writer.recheck_outbox(known.owner(), newest));
    writer.mark_outbox_of(known.tenant.number, session.now());  // for what the file has brought along
    return Changed{
        1, fmt::format("{}, generation {}, {}{}", name.text(), known.tenant.generation.value, name_of(state),
                       is_taken ? fmt::format(", an older copy of {} numbers", found.newest.value) : "")};
  });
  session.wake();
  print_rechecked(session, known, found, is_taken, state);
  return ExitCode::done;
}

}  // namespace tenure::cli
