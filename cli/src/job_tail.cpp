#include "job.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

// Follows jobs: what has become of them since the last look.
namespace tenure::cli {
namespace {

using queue::JobRecord;
using queue::JobSeq;

constexpr std::chrono::milliseconds kTailPause{1000};
constexpr std::size_t kFollowedDefault = 1'000;  // the newest that match

// What of a job makes a line where it differs.
auto progress_of(const JobRecord& job) {
  return std::tuple(job.state, job.reason, job.failures, job.crashes, job.releases);
}

struct Transition {
  std::optional<JobRecord> from;  // nothing: it was not followed at the last look
  JobRecord to;
};

// Knows the followed jobs as they stood at the last look.
class Followed {
 public:
  // What is different, the oldest job first. `newest` are those that match, the newest first; `find` looks at one job that was
  // followed and matches no more.
  template <class Find>
  std::vector<Transition> look(std::vector<JobRecord> newest, bool is_whole, const Find& find) {
    std::map<JobSeq, JobRecord> now;
    for (JobRecord& job : newest) now.emplace(job.seq, std::move(job));
    std::vector<Transition> transitions;
    for (const auto& [seq, before] : jobs_) {
      if (now.contains(seq)) continue;
      // Behind the last of a full page it may match still, and is not followed any more.
      if (!is_whole && !now.empty() && seq < now.begin()->first) continue;
      if (const auto left = find(before.id)) add(before, *left, transitions);
    }
    for (const auto& [seq, job] : now) {
      const auto before = jobs_.find(seq);
      if (before != jobs_.end()) add(before->second, job, transitions);
      else if (seq > looked_behind_) transitions.push_back({std::nullopt, job});
    }
    looked_behind_ = is_whole || now.empty() ? JobSeq{0} : now.begin()->first;
    jobs_ = std::move(now);
    std::ranges::sort(transitions, {}, [](const Transition& each) { return each.to.seq; });
    return transitions;
  }
  [[nodiscard]] std::int64_t count() const { return std::ssize(jobs_); }

 private:
  static constexpr JobSeq kAll{std::numeric_limits<std::int64_t>::max()};
  static void add(const JobRecord& before, const JobRecord& job, std::vector<Transition>& transitions) {
    if (progress_of(before) != progress_of(job)) transitions.push_back({before, job});
  }

  std::map<JobSeq, JobRecord> jobs_;
  // What matches now, stands behind it and was not among them has come, or did not match before; before the first look that is nothing.
  JobSeq looked_behind_ = kAll;
};

std::string transition_text(const Transition& each, WallTime now, const ShowStyle& style) {
  const JobRecord& job = each.to;
  const std::string waits = waits_for(job, style);
  return fmt::format("{}  {}  {} -> {}  {} of {}{}\n", to_rfc3339(now), job.id.text(),
                     each.from ? name_of(each.from->state) : "new", name_of(job.state), escaped(job.kind),
                     job.tenant ? escaped(job.tenant->text()) : "no tenant",
                     waits.empty() ? "" : ", " + waits);
}

std::string transition_json(const Transition& each, WallTime now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.tail/1");
  write_time(writer, "seen", now);
  writer.key("from");
  if (each.from) writer.string(name_of(each.from->state));
  else writer.null();
  write_job_members(writer, each.to);
  writer.end_object();
  return out;
}

}  // namespace

ExitCode job_tail(Session& session) {
  const queue::Filter filter = session.filter(queue::job_filter_fields());
  const queue::ListOptions options{.limit = session.has("limit") ? session.limit() : kFollowedDefault,
                                   .looks_max = looks_max(session)};
  const Clock& clock = session.environment().clock;
  Followed followed;
  bool is_first = true;
  do {
    const WallTime now = clock.wall();
    std::vector<Transition> transitions;
    session.readable_store().read([&](queue::JobReader& reader) {
      auto jobs = reader.list_jobs(filter, options, now).jobs;
      const bool is_whole = jobs.size() < options.limit;
      transitions =
          followed.look(std::move(jobs), is_whole, [&](queue::JobId id) { return reader.find_job(id); });
    });
    if (std::exchange(is_first, false))
      session.note(
          fmt::format("following {}, and those to come", counted(followed.count(), "job", session.style())));
    ShowStyle style = session.style();
    style.now = now;
    for (const Transition& each : transitions) {
      if (session.json()) session.print_json(transition_json(each, now));
      else session.print(transition_text(each, now, style));
    }
  } while (session.environment().pause(kTailPause));
  return ExitCode::done;
}

}  // namespace tenure::cli
