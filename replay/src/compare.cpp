#include <tenure/base/error.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/compare.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace tenure::replay {
namespace {

constexpr std::string_view kNothing = "nothing";
constexpr std::size_t kShownMax = 1024;  // bytes of one side

std::string shown(std::string_view text) {
  const std::string_view cut = cut_utf8(text, kShownMax);
  return escaped(cut, kShownMax) + (cut.size() < text.size() ? " ..." : "");
}

std::string shown_name(std::string_view name) { return "\"" + shown(name) + "\""; }

std::string text_of_call(const RecordedCall& call) {
  const std::string ended = call.failure ? "threw " + shown(call.failure->text()) : shown(call.value);
  return shown_name(call.name) + ": " + ended;
}

std::string text_of_outcome(const RunRecord& run) {
  std::string text =
      run.failure ? std::string{name_of(run.failure->code)} + ": " + shown(run.failure->error) : "succeeded";
  if (!run.cursor.empty()) text += ", with the cursor " + shown_name(run.cursor);
  if (run.returned) text += ", returned " + shown(*run.returned);
  return text;
}

std::string text_of_job(const EnqueuedJob& job) {
  std::string text = fmt::format("{} {} in queue {}, priority {}, due {}, attempts {}, arguments {}",
                                 shown(job.kind), job.id.text(), shown(job.queue), job.priority,
                                 to_rfc3339(job.due), job.attempts_max, shown(job.arguments));
  if (!job.keys.empty()) text += ", keys " + shown(job.keys);
  if (job.start_before) text += ", to start before " + to_rfc3339(*job.start_before);
  return text;
}

std::string text_of_change(const RowChange& change) {
  switch (change.kind) {
    case RowChange::Kind::inserted:
      return "inserted " + shown(change.after);
    case RowChange::Kind::updated:
      return fmt::format("updated {} to {}", shown(change.before), shown(change.after));
    case RowChange::Kind::deleted:
      return "deleted " + shown(change.before);
  }
  invariant_broken("unknown kind of change", __FILE__, __LINE__);
}

std::string place_of_row(const RowChange& change) {
  return fmt::format("row {} of table {}", shown(change.key), shown(change.table));
}

// The first place where two lists differ. `at` says of an item and its number from 1 which one it is, `text` what it is.
template <class Item, class At, class Text>
std::optional<Difference> first_in(Difference::In in, const std::vector<Item>& recorded,
                                   const std::vector<Item>& replayed, At&& at, Text&& text) {
  const auto [left, right] = std::ranges::mismatch(recorded, replayed);
  const bool has_left = left != recorded.end();
  const bool has_right = right != replayed.end();
  if (!has_left && !has_right) return std::nullopt;
  const auto number = static_cast<std::size_t>(left - recorded.begin()) + 1;
  return Difference{in, at(has_left ? *left : *right, number), has_left ? text(*left) : std::string{kNothing},
                    has_right ? text(*right) : std::string{kNothing}};
}

std::optional<Difference> in_calls(const RunRecord& recorded, const RunRecord& replayed) {
  return first_in(
      Difference::In::calls, recorded.calls, replayed.calls,
      [](const RecordedCall& call, std::size_t number) {
        return fmt::format("call {}, {}", number, shown_name(call.name));
      },
      text_of_call);
}

std::optional<Difference> in_outcome(const RunRecord& recorded, const RunRecord& replayed) {
  const auto key = [](const RunRecord& run) {
    return std::tuple{
        run.failure ? std::optional{std::pair{run.failure->code, run.failure->error}} : std::nullopt,
        run.cursor, run.returned};
  };
  if (key(recorded) == key(replayed)) return std::nullopt;
  return Difference{Difference::In::outcome, "the end of the run", text_of_outcome(recorded),
                    text_of_outcome(replayed)};
}

// What the older of two records does not know is no difference.
std::vector<EnqueuedJob> comparable(std::vector<EnqueuedJob> jobs, bool has_keys) {
  for (EnqueuedJob& job : jobs) {
    if (has_keys) break;
    job.keys.clear();
    job.start_before.reset();
  }
  return jobs;
}

std::optional<Difference> in_jobs(const RunRecord& recorded, const RunRecord& replayed) {
  const bool has_keys = recorded.has_keys_of_jobs && replayed.has_keys_of_jobs;
  return first_in(
      Difference::In::jobs, comparable(recorded.jobs, has_keys), comparable(replayed.jobs, has_keys),
      [](const EnqueuedJob& job, std::size_t number) {
        return fmt::format("enqueued job {}, {}", number, shown(job.kind));
      },
      text_of_job);
}

// Both are in the order of table and key, so that a row which only one of them has is told as that.
std::optional<Difference> in_rows(const RunRecord& recorded, const RunRecord& replayed) {
  const auto [left, right] = std::ranges::mismatch(recorded.changes, replayed.changes);
  const RowChange* const ours = left == recorded.changes.end() ? nullptr : &*left;
  const RowChange* const theirs = right == replayed.changes.end() ? nullptr : &*right;
  if (ours == nullptr && theirs == nullptr) return std::nullopt;
  const auto place = [](const RowChange& change) { return std::tie(change.table, change.key); };
  const bool shows_ours = ours != nullptr && (theirs == nullptr || place(*ours) <= place(*theirs));
  const bool shows_theirs = theirs != nullptr && (ours == nullptr || place(*theirs) <= place(*ours));
  return Difference{Difference::In::rows, place_of_row(shows_ours ? *ours : *theirs),
                    shows_ours ? text_of_change(*ours) : std::string{kNothing},
                    shows_theirs ? text_of_change(*theirs) : std::string{kNothing}};
}

std::optional<Difference> as_recorded(const RunRecord& recorded, const RunRecord& replayed) {
  for (const auto look : {in_calls, in_outcome, in_jobs, in_rows})
    if (auto difference = look(recorded, replayed)) return difference;
  return std::nullopt;
}

// A replay that has left the recording can tell nothing else.
bool has_left_recording(const RunRecord& replayed) {
  return replayed.failure && replayed.failure->code == ErrorCode::replay_differs;
}

std::optional<Difference> outcome_is_not(std::string wanted, const RunRecord& recorded,
                                         const RunRecord& replayed) {
  if (has_left_recording(replayed))
    if (auto difference = in_calls(recorded, replayed)) return difference;
  return Difference{Difference::In::outcome, std::move(wanted), text_of_outcome(recorded),
                    text_of_outcome(replayed)};
}

}  // namespace

std::string_view name_of(Difference::In in) {
  switch (in) {
    case Difference::In::calls:
      return "calls";
    case Difference::In::outcome:
      return "outcome";
    case Difference::In::jobs:
      return "jobs";
    case Difference::In::rows:
      return "rows";
  }
  invariant_broken("unknown place of a difference", __FILE__, __LINE__);
}

std::string Difference::text() const {
  return fmt::format("{} differ{} at {}:\n  recorded {}\n  replayed {}", name_of(in),
                     in == In::outcome ? "s" : "", at, recorded, replayed);
}

std::optional<Difference> compare(const RunRecord& recorded, const RunRecord& replayed,
                                  const Expectation& expected) {
  switch (expected.outcome) {
    case Expectation::Outcome::as_recorded:
      return as_recorded(recorded, replayed);
    case Expectation::Outcome::passes:
      if (!replayed.failure) return std::nullopt;
      return outcome_is_not("the end of the run, which must succeed", recorded, replayed);
    case Expectation::Outcome::fails:
      if (replayed.failure &&
          (expected.error ? replayed.failure->code == *expected.error : !has_left_recording(replayed)))
        return std::nullopt;
      return outcome_is_not("the end of the run, which must fail" +
                                (expected.error ? " with " + std::string{name_of(*expected.error)} : ""),
                            recorded, replayed);
  }
  invariant_broken("unknown expectation", __FILE__, __LINE__);
}

}  // namespace tenure::replay
