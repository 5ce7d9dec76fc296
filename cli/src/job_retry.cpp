#include "job.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace tenure::cli {
namespace {

using queue::JobRecord;

constexpr std::size_t kBatch = 500;
constexpr std::size_t kSample = 5;
constexpr std::size_t kFailuresShown = 20;

struct FailedJob {
  queue::JobId id;
  Failure failure;
};

struct RetryResult {
  std::int64_t retried = 0;
  std::int64_t skipped = 0;           // their state had changed
  std::vector<JobRecord> left_alone;  // named, and in a state that is not for retrying
  std::set<std::string> tenants;
  std::vector<FailedJob> failed;
  [[nodiscard]] std::int64_t done() const { return retried + skipped + std::ssize(failed); }
};

// One commit for all of them: each is retried, skipped or named.
void retry_batch(Session& session, std::span<const JobRecord> jobs, RetryResult& result) {
  RetryResult after;
  session.store().write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    after = result;
    for (const JobRecord& job : jobs) {
      const auto retried = writer.retry_by_operator(job.id, session.now());
      if (retried) {
        ++after.retried;
        if (job.tenant) after.tenants.insert(job.tenant->text());
      } else if (retried.error().code == ErrorCode::state_changed ||
                 retried.error().code == ErrorCode::job_not_found) {
        ++after.skipped;
      } else {
        after.failed.push_back({job.id, retried.error()});
      }
    }
  });
  result = std::move(after);
  session.wake();
}

constexpr std::array kRetryable{queue::JobState::dead, queue::JobState::discarded,
                                queue::JobState::cancelled};

bool is_retryable(const JobRecord& job) {
  return std::ranges::any_of(kRetryable,
                             [&](queue::JobState state) { return name_of(state) == name_of(job.state); });
}

// Only states that can be retried, so that what is counted is what will be done.
queue::Filter retryable(queue::Filter filter) {
  queue::FilterTerm term{.field = queue::FilterField::state, .negated = false, .values = {}};
  for (const queue::JobState state : kRetryable)
    term.values.emplace_back(queue::Glob{std::string(name_of(state)), true});
  filter.terms.push_back(std::move(term));
  return filter;
}

// On a terminal a bar that is drawn again in its place, else a line now and then.
class Progress {
 public:
  Progress(Session& session, std::int64_t total)
      : session_(session),
        total_(total),
        bar_(session.messages_can_be_redrawn()),
        begun_(steady()),
        next_(bar_ ? begun_ : begun_ + kLineEvery) {}

  void show(const RetryResult& result) {
    const Instant now = steady();
    if (now < next_) return;
    next_ = now + (bar_ ? kBarEvery : kLineEvery);
    if (bar_) session_.redraw(bar_text(result.done(), now - begun_));
    else session_.note(fmt::format("{} / {}", result.done(), total_));
  }
  ~Progress() { session_.end_redrawing(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  static constexpr std::chrono::seconds kLineEvery{10};
  static constexpr std::chrono::milliseconds kBarEvery{100};
  static constexpr std::int64_t kBarWidth = 20;

  [[nodiscard]] Instant steady() const { return session_.environment().clock.steady(); }

  // "[##########..........]  640 / 1,284   49 %   410/s   about 2 s left"
  [[nodiscard]] std::string bar_text(std::int64_t done, std::chrono::microseconds passed) const {
    const auto width = static_cast<std::size_t>(done * kBarWidth / total_);
    std::string text = fmt::format("[{}{}]  {} / {}   {} %", std::string(width, '#'),
                                   std::string(kBarWidth - width, '.'), number_text(done, session_.style()),
                                   number_text(total_, session_.style()), done * 100 / total_);
    if (done == 0 || passed < kBarEvery) return text;
    const double per_second = static_cast<double>(done) / std::chrono::duration<double>(passed).count();
    const std::chrono::duration<double> left{static_cast<double>(total_ - done) / per_second};
    return text + fmt::format("   {:.0f}/s   about {} left", per_second,
                              duration_text(std::chrono::ceil<std::chrono::seconds>(left)));
  }

  Session& session_;
  std::int64_t total_;
  bool bar_;
  Instant begun_;
  Instant next_;
};

// Jobs that come to match after the count are not what was agreed to: no more than `total` are touched.
void retry_all(Session& session, const queue::Filter& filter, std::int64_t total, RetryResult& result) {
  Progress progress(session, total);
  queue::ListOptions options{.limit = kBatch, .order = queue::ListOrder::oldest_first};
  for (std::int64_t left = total; left > 0;) {
    options.limit = static_cast<std::size_t>(std::min<std::int64_t>(left, kBatch));
    std::vector<JobRecord> jobs;
    session.readable_store().read(
        [&](queue::JobReader& reader) { jobs = reader.list_jobs(filter, options, session.now()).jobs; });
    if (jobs.empty()) break;
    retry_batch(session, jobs, result);
    options.after = jobs.back().seq;
    left -= std::ssize(jobs);
    progress.show(result);
  }
}

std::string json_of(const RetryResult& result, std::int64_t matched, bool dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.retry/1").key("dry_run").boolean(dry_run);
  writer.key("matched")
      .integer(matched)
      .key("retried")
      .integer(result.retried)
      .key("skipped")
      .integer(result.skipped);
  writer.key("tenants").integer(std::ssize(result.tenants)).key("failed").begin_array();
  for (const FailedJob& failed : result.failed) {
    writer.begin_object().key("id").string(failed.id.text()).key("code").string(name_of(failed.failure.code));
    write_text(writer, "message", failed.failure.message);
    writer.end_object();
  }
  writer.end_array().key("left_alone").begin_array();
  for (const JobRecord& job : result.left_alone)
    writer.begin_object()
        .key("id")
        .string(job.id.text())
        .key("state")
        .string(name_of(job.state))
        .end_object();
  writer.end_array().end_object();
  return out;
}

// "is scheduled, retry in 41 s", and why that is left alone.
void note_left_alone(Session& session, const RetryResult& result) {
  for (std::size_t i = 0; i < std::min(result.left_alone.size(), kFailuresShown); ++i) {
    const JobRecord& job = result.left_alone[i];
    const std::string waits = waits_for(job, session.style());
    session.note(fmt::format("{} is {}{}; only dead, discarded and cancelled jobs are retried", job.id.text(),
                             name_of(job.state), waits.empty() ? "" : ", " + waits));
  }
}

ExitCode report(Session& session, const RetryResult& result, std::int64_t matched) {
  const ShowStyle& style = session.style();
  if (session.json()) {
    session.print_json(json_of(result, matched, false));
  } else {
    std::string text = "retried " + counted(result.retried, "job", style);
    if (!result.tenants.empty()) text += " of " + counted(std::ssize(result.tenants), "tenant", style);
    if (result.skipped > 0)
      text += fmt::format("; {} skipped (state changed)", number_text(result.skipped, style));
    if (!result.left_alone.empty())
      text += fmt::format("; {} left alone", number_text(std::ssize(result.left_alone), style));
    if (!result.failed.empty())
      text += fmt::format("; {} failed", number_text(std::ssize(result.failed), style));
    session.print(text + '\n');
    note_left_alone(session, result);
    for (std::size_t i = 0; i < std::min(result.failed.size(), kFailuresShown); ++i)
      session.note(
          fmt::format("{}: {}", result.failed[i].id.text(), escaped(result.failed[i].failure.text())));
  }
  return result.failed.empty() ? ExitCode::done : ExitCode::refused;
}

// What was committed before an error is said all the same.
template <class Retry>
RetryResult retried_by(Session& session, std::int64_t matched, RetryResult result, const Retry& retry) {
  try {
    retry(result);
  } catch (const Error&) {
    if (result.done() > 0) (void)report(session, result, matched);
    throw;
  }
  return result;
}

// Jobs that are named must be there.
std::vector<JobRecord> find_named(Session& session) {
  std::vector<JobRecord> jobs;
  for (const std::string& word : session.words()) {
    const queue::JobId id = job_id(word);
    std::optional<JobRecord> job;
    session.readable_store().read([&](queue::JobReader& reader) { job = reader.find_job(id); });
    if (!job)
      raise(ErrorCode::job_not_found, fmt::format("there is no job {}; nothing was retried", id.text()));
    jobs.push_back(std::move(*job));
  }
  return jobs;
}

ExitCode preview_named(Session& session, std::span<const JobRecord> jobs, const RetryResult& left_alone) {
  for (const JobRecord& job : jobs)
    session.note(
        fmt::format("would retry {} ({}, {})", job.id.text(), escaped(job.kind), name_of(job.state)));
  note_left_alone(session, left_alone);
  if (session.json()) session.print_json(json_of(left_alone, std::ssize(jobs), true));
  return ExitCode::done;
}

ExitCode retry_named(Session& session) {
  std::vector<JobRecord> jobs = find_named(session);
  RetryResult left_alone;
  const auto others = std::stable_partition(jobs.begin(), jobs.end(), is_retryable);
  left_alone.left_alone.assign(others, jobs.end());
  jobs.erase(others, jobs.end());
  if (session.has("dry-run")) return preview_named(session, jobs, left_alone);
  const RetryResult result =
      retried_by(session, std::ssize(jobs), std::move(left_alone), [&](RetryResult& so_far) {
        for (std::size_t at = 0; at < jobs.size(); at += kBatch)
          retry_batch(session, std::span(jobs).subspan(at, std::min(kBatch, jobs.size() - at)), so_far);
      });
  const ExitCode code = report(session, result, std::ssize(jobs));
  return result.skipped > 0 || !result.left_alone.empty() ? ExitCode::refused : code;
}

struct Matched {
  std::int64_t count = 0;
  std::vector<JobRecord> sample;
};

Matched match(Session& session, const queue::Filter& filter) {
  Matched matched;
  session.readable_store().read([&](queue::JobReader& reader) {
    matched.count =
        reader.count_jobs(filter, {.limit = static_cast<std::size_t>(kCountMax)}, session.now()).count;
    matched.sample =
        reader.list_jobs(filter, {.limit = kSample, .order = queue::ListOrder::oldest_first}, session.now())
            .jobs;
  });
  return matched;
}

void show_sample(Session& session, const Matched& matched) {
  session.note(
      fmt::format("{} to retry, the oldest of them:", counted(matched.count, "job", session.style())));
  for (const JobRecord& job : matched.sample)
    session.note(fmt::format("  {}  {}  {}  {}", job.id.text(), name_of(job.state),
                             job.tenant ? escaped(job.tenant->text()) : "none", escaped(job.kind)));
}

bool is_named(std::string_view word) { return word.find('=') == std::string_view::npos; }

}  // namespace

ExitCode job_retry(Session& session) {
  const auto words = session.words();
  if (std::all_of(words.begin(), words.end(), is_named)) return retry_named(session);
  const queue::Filter filter = retryable(session.filter(queue::job_filter_fields()));
  const Matched matched = match(session, filter);
  if (matched.count == 0) {
    session.note("no job that could be retried matches");
    if (session.json()) session.print_json(json_of({}, 0, session.has("dry-run")));
    return ExitCode::done;
  }
  if (session.has("dry-run")) {
    show_sample(session, matched);
    if (session.json()) session.print_json(json_of({}, matched.count, true));
    else session.print("would retry " + counted(matched.count, "job", session.style()) + '\n');
    return ExitCode::done;
  }
  if (!session.has("yes")) {
    show_sample(session, matched);
    const auto answer = session.ask("retry them?");
    if (!answer)
      raise(ErrorCode::bad_options,
            fmt::format("{} match: say --yes to retry them, since nobody can be asked here",
                        counted(matched.count, "job", session.style())));
    if (!*answer) {
      session.note("nothing was retried");
      return ExitCode::refused;
    }
  }
  const RetryResult result = retried_by(session, matched.count, {}, [&](RetryResult& so_far) {
    retry_all(session, filter, matched.count, so_far);
  });
  return report(session, result, matched.count);
}

}  // namespace tenure::cli
