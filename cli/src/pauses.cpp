#include "pauses.hpp"

#include "listing.hpp"
#include "nouns.hpp"
#include "until_option.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

// Queues and kinds that operators pause, and have go on.
namespace tenure::cli {
namespace {

using queue::NewPause;
using queue::PauseRecord;
using queue::PauseScope;

constexpr std::chrono::hours kPauseMax{366 * 24};

struct Paused {
  NewPause pause;
  bool was_paused = false;
};

void print_paused(Session& session, PauseScope scope, const std::vector<Paused>& all) {
  if (!session.json()) {
    for (const Paused& each : all)
      session.print(fmt::format("paused {} {}, {}{}\n", name_of(scope), escaped(each.pause.name),
                                until_text_of(each.pause.until, session.style()),
                                each.was_paused ? "; it was paused already" : ""));
    return;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(fmt::format("tenure.{}.pause/1", name_of(scope)));
  writer.key("items").begin_array();
  for (const Paused& each : all) {
    writer.begin_object();
    write_text(writer, "name", each.pause.name);
    write_time(writer, "until", each.pause.until);
    writer.key("was_paused").boolean(each.was_paused).end_object();
  }
  writer.end_array().end_object();
  session.print_json(out);
}

// All or none.
ExitCode pause(Session& session, PauseScope scope) {
  std::vector<Paused> all;
  for (const std::string& name : session.words())
    all.push_back({.pause = {.scope = scope,
                             .name = name,
                             .until = end_of_pause(session),
                             .uid = session.who().uid,
                             .login = session.who().login,
                             .reason = std::string(session.option("reason"))}});
  session.change([&](queue::StoreWriter& writer) {
    for (Paused& each : all) each.was_paused = !value_or_raise(writer.pause(each.pause, session.now()));
    std::string subject = fmt::format("{}", fmt::join(session.words(), ", "));
    if (all.front().pause.until) subject += ", until " + to_rfc3339(*all.front().pause.until);
    return Changed{std::ssize(all), std::move(subject)};
  });
  session.wake();
  print_paused(session, scope, all);
  return ExitCode::done;
}

ExitCode resume(Session& session, PauseScope scope) {
  session.change([&](queue::StoreWriter& writer) {
    for (const std::string& name : session.words())
      if (!writer.resume(scope, name))
        throw Refused{"NotPaused",
                      fmt::format("the {0} {1} is not paused; tenure {0} list shows those that are",
                                  name_of(scope), escaped(name, 64))};
    return Changed{std::ssize(session.words()), fmt::format("{}", fmt::join(session.words(), ", "))};
  });
  session.wake();
  if (!session.json()) {
    for (const std::string& name : session.words())
      session.print(fmt::format("{} {} goes on\n", name_of(scope), escaped(name)));
    return ExitCode::done;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(fmt::format("tenure.{}.resume/1", name_of(scope)));
  writer.key("items").begin_array();
  for (const std::string& name : session.words()) {
    writer.begin_object();
    write_text(writer, "name", name);
    writer.end_object();
  }
  writer.end_array().end_object();
  session.print_json(out);
  return ExitCode::done;
}

}  // namespace

std::optional<WallTime> end_of_pause(const Session& session) {
  return until_option(session, kPauseMax,
                      fmt::format("at most {} days, or no --until at all", kPauseMax.count() / 24));
}

std::string until_text_of(const std::optional<WallTime>& until, const ShowStyle& style) {
  return until ? "until " + full_time_text(until, style) : "until somebody resumes it";
}

std::optional<PauseRecord> pause_of(const std::vector<PauseRecord>& all, PauseScope scope,
                                    std::string_view name) {
  const auto found = std::ranges::find_if(
      all, [&](const PauseRecord& each) { return each.scope == scope && each.name == name; });
  return found == all.end() ? std::nullopt : std::optional{*found};
}

std::string pause_text(const PauseRecord& pause, const ShowStyle& style) {
  const std::string who = pause.login.empty() ? fmt::format("uid {}", pause.uid) : escaped(pause.login);
  return fmt::format("by {}, {}, {}{}", who, full_time_text(pause.paused, style),
                     until_text_of(pause.until, style),
                     pause.reason.empty() ? "" : ": " + escaped(pause.reason, 1024));
}

void write_pause(json::Writer& writer, const PauseRecord& pause) {
  writer.begin_object().key("scope").string(name_of(pause.scope));
  write_time(writer, "paused", pause.paused);
  write_time(writer, "until", pause.until);
  writer.key("uid").integer(pause.uid);
  write_text(writer, "login", pause.login);
  write_text(writer, "reason", pause.reason);
  writer.end_object();
}

ExitCode queue_pause(Session& session) { return pause(session, PauseScope::queue); }
ExitCode queue_resume(Session& session) { return resume(session, PauseScope::queue); }
ExitCode kind_pause(Session& session) { return pause(session, PauseScope::kind); }
ExitCode kind_resume(Session& session) { return resume(session, PauseScope::kind); }

}  // namespace tenure::cli
