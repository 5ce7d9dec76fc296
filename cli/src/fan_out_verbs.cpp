#include "fan_out.hpp"
#include "input.hpp"
#include "job_drafts.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/queue/mask.hpp>

#include <fmt/format.h>

// What an operator does to a fan-out.
namespace tenure::cli {
namespace {

// How many of its jobs are looked at in one commit.
constexpr std::size_t kCancelledAtOnce = 500;

// Nothing of it is kept.
struct TriedFanOut {};

std::string checked_arguments(Session& session, const std::string& text, PayloadContext& context) {
  try {
    return queue::canonical_arguments(text, context, kLimitsOfStored);
  } catch (const Error& error) {  // which may quote a secret
    raise(queue::Secrets(session.mask(), text).hidden_in(error.failure()));
  }
}

// --on-complete and --on-success: "KIND", or "KIND JSON".
std::optional<queue::BatchCallback> callback_option(Session& session, JobDrafts& drafts,
                                                    std::string_view option) {
  if (!session.has(option)) return std::nullopt;
  const std::string_view said = session.option(option);
  const std::size_t blank = said.find(' ');
  JobSpec spec;
  spec.kind = std::string{said.substr(0, blank)};
  spec.tenant = "none";
  const std::string text{blank == std::string_view::npos ? "{}" : said.substr(blank + 1)};
  queue::Draft draft =
      drafts.draft(spec, [&](PayloadContext& context) { return checked_arguments(session, text, context); });
  static_cast<void>(drafts.is_known(spec.kind));
  return queue::BatchCallback{.job = std::move(draft.job)};
}

std::chrono::microseconds duration_option(const Session& session, std::string_view option) {
  if (!session.has(option)) return {};
  auto duration = config::parse_duration(session.option(option));
  if (!duration)
    raise(ErrorCode::bad_options,
          fmt::format("--{} '{}' {}", option, escaped(session.option(option), 64), duration.error().message));
  return *duration;
}

std::optional<StartRate> rate_option(const Session& session) {
  if (!session.has("rate")) return std::nullopt;
  const auto rate = parse_start_rate(session.option("rate"));
  if (!rate)
    raise(ErrorCode::bad_options,
          fmt::format("--rate '{}' {}", escaped(session.option("rate"), 64), rate.error().message));
  return *rate;
}

queue::NewFanOut new_fan_out(Session& session, JobDrafts& drafts) {
  const auto words = session.words();
  JobSpec spec = spec_of_options(session);
  spec.tenant = "none";
  const std::string text = words.size() > 1 ? text_of_word(session, words[1], limits::kPayloadMax) : "{}";
  queue::Draft draft =
      drafts.draft(spec, [&](PayloadContext& context) { return checked_arguments(session, text, context); });
  return {.id = BatchId{draft.job.id.uuid},
          .name = std::string{session.option("name")},
          .key = std::string{session.option("key")},
          .job = std::move(draft.job),
          .start_within = duration_option(session, "start-within"),
          .window = duration_option(session, "over"),
          .rate = rate_option(session),
          .on_complete = callback_option(session, drafts, "on-complete"),
          .on_success = callback_option(session, drafts, "on-success")};
}

std::string started_json(const queue::NewFanOut& fan_out, const queue::StartedFanOut& started,
                         bool kind_is_known, bool is_dry) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.fan_out.start/1").key("id").string(started.id.text());
  writer.key("existed").boolean(started.existed).key("dry_run").boolean(is_dry);
  writer.key("queue").string(fan_out.job.queue).key("kind").string(fan_out.job.kind);
  writer.key("kind_is_known").boolean(kind_is_known).end_object();
  return out;
}

// The pages that tenured would do; where this ends early, it does.
std::int64_t cancel_jobs(Session& session, const queue::FanOutRecord& fan_out) {
  for (;;) {
    bool is_done = true;
    session.change([&](queue::StoreWriter& writer) -> Changed {
      const auto open = writer.fan_outs().open(queue::FanOutsMark{-1});
      for (const queue::OpenFanOut& one : open->fan_outs) {
        if (one.number != fan_out.batch.number) continue;
        const queue::VisitReply reply = writer.fan_outs().carry_on({.fan_out = one.number,
                                                                    .after = one.after,
                                                                    .is_cancelled = true,
                                                                    .tenants_max = kCancelledAtOnce,
                                                                    .jobs_max = 0},
                                                                   session.now());
        is_done = reply.is_stale || reply.is_done;
      }
      return {};
    });
    if (is_done) break;
  }
  return find_fan_out(session, fan_out.batch.id).batch.counts.cancelled - fan_out.batch.counts.cancelled;
}

// Nothing: go on.
std::optional<ExitCode> refused_by_operator(Session& session, const queue::FanOutRecord& fan_out) {
  if (session.has("yes") || session.has("dry-run")) return std::nullopt;
  const auto answer = session.ask(
      fmt::format("cancel fan-out {}: {} to come, and jobs that have not started?", fan_out.batch.id.text(),
                  counted(fan_out.tenants - fan_out.visited, "tenant", session.style())));
  if (!answer)
    raise(ErrorCode::bad_options, "say --yes to cancel the fan-out, since nobody can be asked here");
  if (*answer) return std::nullopt;
  session.note("nothing was cancelled");
  return ExitCode::refused;
}

}  // namespace

ExitCode fan_out_start(Session& session) {
  JobDrafts drafts(session);
  const queue::NewFanOut fan_out = new_fan_out(session, drafts);
  const bool is_dry = session.has("dry-run");
  queue::StartedFanOut started;
  try {
    session.change([&](queue::StoreWriter& writer) -> Changed {
      started = value_or_raise(writer.fan_outs().start(fan_out, session.now()));
      if (is_dry) throw TriedFanOut{};
      return started.existed ? Changed{} : Changed{1, "fan-out " + started.id.text()};
    });
    session.wake();
  } catch (const TriedFanOut&) {  // the store has looked at it and takes it back
  }
  const bool kind_is_known = drafts.is_known(fan_out.job.kind);
  if (session.json()) {
    session.print_json(started_json(fan_out, started, kind_is_known, is_dry));
  } else if (is_dry) {
    session.print(started.existed ? "would start none: " + started.id.text() + " is unfinished\n"
                                  : "would have started a fan-out of " + escaped(fan_out.job.kind) + "\n");
  } else {
    session.print(started.id.text() + '\n');
    if (started.existed)
      session.note(started.id == fan_out.id ? "it was there already"
                                            : "that one is unfinished under the key");
  }
  return ExitCode::done;
}

ExitCode fan_out_cancel(Session& session) {
  const queue::FanOutRecord fan_out = find_fan_out(session, fan_out_id(session.words().front()));
  if (const auto refused = refused_by_operator(session, fan_out)) return *refused;
  const bool is_dry = session.has("dry-run");
  std::int64_t cancelled = 0;
  try {
    session.change([&](queue::StoreWriter& writer) -> Changed {
      value_or_raise(writer.fan_outs().cancel(fan_out.batch.id, session.now()));
      if (is_dry) throw TriedFanOut{};
      return {1, "fan-out " + fan_out.batch.id.text()};
    });
    cancelled = cancel_jobs(session, fan_out);
    session.wake();
  } catch (const TriedFanOut&) {  // the store has looked at it and takes it back
  }
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.fan_out.cancel/1");
    writer.key("id").string(fan_out.batch.id.text()).key("dry_run").boolean(is_dry);
    writer.key("cancelled").integer(cancelled).end_object();
    session.print_json(out);
  } else if (is_dry) {
    session.print("would have cancelled fan-out " + fan_out.batch.id.text() + "\n");
  } else {
    session.print(fmt::format("cancelled fan-out {}, and {} that had not started\n", fan_out.batch.id.text(),
                              counted(cancelled, "job", session.style())));
  }
  return ExitCode::done;
}

}  // namespace tenure::cli
