#include "enqueue_lines.hpp"

#include "input.hpp"
#include "job_drafts.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/queue/mask.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::size_t kLinesOfCommit = 500;
// The arguments, and what is said beside them.
constexpr std::size_t kLineMax = limits::kPayloadMax + 64UL * 1024;

constexpr std::array<std::string_view, 15> kLineKeys{
    "kind",        "arguments",    "tenant",       "id",           "queue",
    "priority",    "attempts_max", "due",          "start_before", "concurrency_key",
    "running_max", "unique_key",   "unique_until", "global_keys",  "batch"};

struct LineToEnqueue {
  std::int64_t number = 0;
  std::optional<queue::Draft> draft;
  std::optional<queue::Enqueued> there;
  Failure failure;  // where it is not there
};

struct LineCounts {
  std::int64_t enqueued = 0;
  std::int64_t existed = 0;
  std::int64_t refused = 0;
  std::int64_t last = 0;  // number of the last line that has its result
};

[[noreturn]] void refuse_line(std::string_view reason, const std::string& sentence, std::string path) {
  detail::refuse(reason, sentence, std::move(path));
}

std::int64_t number_between(const json::Value& at, std::int64_t min, std::int64_t max) {
  const std::int64_t number = value_or_raise(at.integer());
  if (number < min || number > max)
    refuse_line("OutOfRange", fmt::format("{} is outside {} to {}", number, min, max), at.path());
  return number;
}

std::string text_at(const json::Value& at) { return std::string(value_or_raise(at.string())); }

WallTime time_at(const json::Value& at, WallTime now) {
  const auto time = queue::parse_time(text_at(at), now);
  if (!time) refuse_line("OutOfRange", time.error().message, at.path());
  return *time;
}

void read_key_member(std::string_view key, const json::Value& at, JobSpec& spec) {
  if (key == "concurrency_key") spec.concurrency_key = text_at(at);
  if (key == "running_max") spec.running_max = static_cast<int>(number_between(at, 1, kRunningMax));
  if (key == "unique_key") spec.unique_key = text_at(at);
  if (key == "unique_until") spec.unique_until = unique_until_named(text_at(at), at.path());
  if (key == "batch") spec.batch = job_uuid(text_at(at), at.path());
  if (key == "global_keys") spec.has_global_keys = value_or_raise(at.boolean());
}

// Null says what an absent member says.
void read_member(std::string_view key, const json::Value& at, WallTime now, JobSpec& spec) {
  if (at.type() == json::Type::null || key == "arguments") return;
  if (key == "kind") spec.kind = text_at(at);
  if (key == "tenant") spec.tenant = text_at(at);
  if (key == "queue") spec.queue = text_at(at);
  if (key == "id") spec.id = job_uuid(text_at(at), at.path());
  if (key == "priority")
    spec.priority = static_cast<int>(number_between(at, limits::kPriorityHighest, limits::kPriorityLowest));
  if (key == "attempts_max")
    spec.attempts_max = static_cast<int>(number_between(at, 1, limits::kAttemptsMax));
  read_key_member(key, at, spec);
  if (key == "due") {
    spec.run_at = time_at(at, now);
    spec.run_in = {};
  }
  if (key == "start_before") spec.start_before = time_at(at, now);
}

void refuse_unknown_key(std::string_view key, const json::Value& line) {
  if (std::ranges::find(kLineKeys, key) != kLineKeys.end()) return;
  const auto near = nearest(key, kLineKeys);
  refuse_line("UnknownKey", near ? fmt::format("did you mean {}?", *near) : "a line has no such key",
              line.path() + json::path_step(key));
}

// What the line says counts before what the command says.
JobSpec spec_of_line(const json::Value& line, JobSpec spec, WallTime now) {
  if (line.type() != json::Type::object)
    refuse_line("WrongType", "a line is an object, {\"kind\": ..., \"arguments\": {...}}", line.path());
  std::set<std::string_view> keys;
  line.each_member([&](std::string_view key, const json::Value& at) {
    refuse_unknown_key(key, line);
    if (!keys.insert(key).second)
      refuse_line("DuplicateKey", "the key stands there twice", line.path() + json::path_step(key));
    read_member(key, at, now, spec);
    return true;
  });
  return spec;
}

queue::Draft draft_of_line(Session& session, JobDrafts& drafts, const InputLine& line,
                           const JobSpec& of_command) {
  if (line.is_too_long)
    raise(ErrorCode::payload_too_large, fmt::format("the line has more than {} bytes", kLineMax), {}, "$");
  // The arguments lie one level below the line.
  const json::Document document = value_or_raise(
      json::Document::parse(line.text, {.bytes_max = kLineMax, .depth_max = limits::kDepthMax + 1}));
  const JobSpec spec = spec_of_line(document.root(), of_command, session.now());
  const auto arguments = document.root().member("arguments");
  return drafts.draft(spec, [&](PayloadContext& context) -> std::string {
    if (!arguments) return "{}";
    return queue::canonical_arguments(*arguments, context, kLimitsOfStored);
  });
}

std::vector<LineToEnqueue> drafts_of(Session& session, JobDrafts& drafts, std::span<const InputLine> lines,
                                     const JobSpec& of_command) {
  std::vector<LineToEnqueue> jobs;
  const queue::Mask mask = session.mask();
  for (const InputLine& line : lines) {
    jobs.push_back({.number = line.number, .draft = {}, .there = {}, .failure = {}});
    try {
      jobs.back().draft = draft_of_line(session, drafts, line, of_command);
    } catch (const Error& error) {  // an item of a batch
      jobs.back().failure = queue::Secrets(mask, line.text).hidden_in(error.failure());
    }
  }
  return jobs;
}

void commit_lines(Session& session, std::vector<LineToEnqueue>& jobs) {
  session.change([&](queue::StoreWriter& writer) {
    std::vector<std::string> enqueued;
    for (LineToEnqueue& job : jobs) {
      if (!job.draft) continue;
      auto result = queue::enqueue(writer, *job.draft, session.environment().clock);
      job.there = result ? std::optional{*result} : std::nullopt;
      if (!result) job.failure = std::move(result.error());
      else if (!result->existed) enqueued.push_back(result->id.text());
    }
    return Changed{std::ssize(enqueued), fmt::format("{}", fmt::join(enqueued, " "))};
  });
  session.wake();
}

std::string json_of_line(const LineToEnqueue& job) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.job.enqueue.line/1").key("line").integer(job.number);
  if (job.there) {
    writer.key("id").string(job.there->id.text()).key("existed").boolean(job.there->existed);
  } else {
    writer.key("error").begin_object().key("code").string(name_of(job.failure.code));
    writer.key("message")
        .string(to_utf8(job.failure.message))
        .key("where")
        .string(to_utf8(job.failure.where));
    writer.end_object();
  }
  writer.end_object();
  return out;
}

void report_line(Session& session, JobDrafts& drafts, const LineToEnqueue& job, LineCounts& counts) {
  counts.last = job.number;
  if (!job.there) ++counts.refused;
  else if (job.there->existed) ++counts.existed;
  else ++counts.enqueued;
  if (job.there) static_cast<void>(drafts.is_known(job.draft->job.kind));
  if (session.json()) return session.print_json(json_of_line(job));
  if (!job.there)
    return session.note(fmt::format("line {}: {}", job.number, escaped(job.failure.text(), 2000)));
  session.print(
      fmt::format("{}  {}{}\n", job.number, job.there->id.text(), job.there->existed ? "  existed" : ""));
}

void enqueue_all_lines(Session& session, LineCounts& counts) {
  const JobSpec of_command = spec_of_options(session);
  JobDrafts drafts(session);
  InputLines input(session.environment(), kLineMax);
  for (auto lines = input.next(); !lines.empty(); lines = input.next())
    for (std::size_t at = 0; at < lines.size(); at += kLinesOfCommit) {
      const auto some = std::span(lines).subspan(at, std::min(kLinesOfCommit, lines.size() - at));
      auto jobs = drafts_of(session, drafts, some, of_command);
      commit_lines(session, jobs);
      for (const LineToEnqueue& job : jobs) report_line(session, drafts, job, counts);
    }
}

}  // namespace

ExitCode enqueue_lines(Session& session) {
  if (session.has("id"))
    raise(ErrorCode::bad_options, "one --id cannot name all jobs of --lines; a line has \"id\"");
  if (session.words().size() > 1)
    raise(ErrorCode::bad_options, "with --lines the arguments stand in the lines, and only KIND before them");
  LineCounts counts;
  const auto say_how_far = [&] {
    session.note(fmt::format("stopped behind line {}; lines with an \"id\" may be given again", counts.last));
  };
  try {
    enqueue_all_lines(session, counts);
  } catch (const Error&) {
    if (counts.last > 0) say_how_far();
    throw;
  } catch (const OutputClosed&) {
    say_how_far();
    throw;
  }
  const ShowStyle& style = session.style();
  std::string text = "enqueued " + counted(counts.enqueued, "job", style);
  if (counts.existed > 0) text += fmt::format("; {} were there already", number_text(counts.existed, style));
  if (counts.refused > 0) text += fmt::format("; {} refused", number_text(counts.refused, style));
  session.note(text);
  return counts.refused > 0 ? ExitCode::refused : ExitCode::done;
}

}  // namespace tenure::cli
