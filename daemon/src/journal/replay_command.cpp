#include "replay_command.hpp"

#include "replay.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <unistd.h>

namespace tenure::daemon::journal {
namespace {

struct Arguments {
  std::string file;
  std::uint64_t from = 0;
  bool events = false;
  bool json = false;
};

// Of two texts that differ somewhere so much is shown, from a little before that place.
constexpr std::size_t kShown = 1000;
constexpr std::size_t kShownBefore = 60;
constexpr std::size_t kStepShown = 400;

std::string cut(std::string_view text, std::size_t from, std::size_t bytes) {
  std::string shown = from > 0 ? "..." : "";
  shown += text.substr(std::min(from, text.size()), bytes);
  if (text.size() > from + bytes) shown += "...";
  return shown;
}

std::size_t begin_of_difference(std::string_view one, std::string_view other) {
  const auto [at, unused] = std::ranges::mismatch(one, other);
  const auto same = static_cast<std::size_t>(at - one.begin());
  return same > kShownBefore ? same - kShownBefore : 0;
}

std::optional<Arguments> parse(const std::vector<std::string>& arguments) {
  Arguments result;
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument == "--json") {
      result.json = true;
    } else if (argument == "--events") {
      result.events = true;
    } else if (argument == "--from" && at + 1 < arguments.size()) {
      const std::string& number = arguments[++at];
      const char* const end = number.data() + number.size();
      const auto [rest, error] = std::from_chars(number.data(), end, result.from);
      if (error != std::errc{} || rest != end) return std::nullopt;
    } else if (result.file.empty() && !argument.empty() && !argument.starts_with("--")) {
      result.file = argument;
    } else {
      return std::nullopt;
    }
  }
  return result.file.empty() ? std::nullopt : std::optional{result};
}

std::string said_of(const JournalFile& file, const Replay& replayed, const std::string& program_version) {
  std::string text = fmt::format("journal of tenured {}, node {}, pid {}, written for: {}\n",
                                 escaped(file.head.program_version, 64), escaped(file.head.node, 64),
                                 file.head.pid, name_of(file.head.why));
  if (file.head.program_version != program_version)
    text += fmt::format("replayed by tenured {}, which may decide otherwise\n", program_version);
  text += replayed.events == 0
              ? "no events\n"
              : fmt::format("events {} to {}, {} to {}: {} actions, {} snapshots\n", replayed.first_event,
                            replayed.first_event + replayed.events - 1, to_rfc3339(replayed.begun.wall),
                            to_rfc3339(replayed.ended.wall), replayed.actions, replayed.snapshots);
  if (replayed.ended_within) text += "nothing is recorded for the last event, with which the daemon ended\n";
  if (!replayed.difference) return text + "equal: the same events gave the same actions, byte for byte\n";
  const Difference& difference = *replayed.difference;
  const std::size_t from = begin_of_difference(difference.recorded, difference.came);
  return text + fmt::format("differs at event {}, {}{}\n  happened  {}\n  recorded  {}\n  came      {}\n",
                            difference.event, to_rfc3339(difference.now.wall),
                            difference.action ? fmt::format(", in action {}", *difference.action)
                                              : std::string(", in what is remembered before it"),
                            cut(difference.happened, 0, kShown), cut(difference.recorded, from, kShown),
                            cut(difference.came, from, kShown));
}

void put_difference(json::Writer& writer, const Difference& difference) {
  const std::size_t from = begin_of_difference(difference.recorded, difference.came);
  writer.begin_object().key("event").integer(static_cast<std::int64_t>(difference.event));
  writer.key("at").string(to_rfc3339(difference.now.wall)).key("action");
  if (difference.action) writer.integer(static_cast<std::int64_t>(*difference.action));
  else writer.null();
  writer.key("happened").string(cut(difference.happened, 0, kShown));
  writer.key("recorded").string(cut(difference.recorded, from, kShown));
  writer.key("came").string(cut(difference.came, from, kShown)).end_object();
}

std::string json_of(const std::string& path, const JournalFile& file, const Replay& replayed,
                    const std::string& program_version) {
  std::string out;
  json::Writer writer(out);
  const auto number = [&writer](std::string_view key, std::uint64_t value) {
    writer.key(key).integer(static_cast<std::int64_t>(value));
  };
  writer.begin_object().key("schema").string("tenure.replay.journal/1").key("item").begin_object();
  writer.key("file").string(path);
  writer.key("program_version").string(escaped(file.head.program_version, 64));
  writer.key("replayed_by").string(program_version).key("node").string(escaped(file.head.node, 64));
  writer.key("pid").integer(file.head.pid).key("why").string(name_of(file.head.why));
  number("first_event", replayed.first_event);
  number("events", replayed.events);
  number("actions", replayed.actions);
  number("snapshots", replayed.snapshots);
  writer.key("begun").string(to_rfc3339(replayed.begun.wall));
  writer.key("ended").string(to_rfc3339(replayed.ended.wall));
  writer.key("ended_within").boolean(replayed.ended_within).key("difference");
  if (replayed.difference) put_difference(writer, *replayed.difference);
  else writer.null();
  writer.end_object().end_object();
  return out + "\n";
}

void print(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text)) raise_system(errno, "standard output", {});
}

std::string line_of(std::uint64_t number, Now now, const Event& event) {
  return fmt::format("{} {} {}\n", number, to_rfc3339(now.wall), cut(text_of(event), 0, kStepShown));
}

void print_event(std::uint64_t number, Now now, const Event& event) { print(line_of(number, now, event)); }

void print_actions(const Actions& recorded) {
  std::string text;
  for (const Action& action : recorded) text += fmt::format("  {}\n", cut(text_of(action), 0, kStepShown));
  print(text);
}

// Before the event is decided about, since this process may end as the daemon did.
std::string text_of_last(std::uint64_t number, Now now, const Event& event) {
  return "the daemon ended with event " + line_of(number, now, event);
}

ReplayOptions options_for(const Arguments& asked) {
  ReplayOptions options{.from = asked.from};
  if (asked.json) {  // whose document comes at the end
    options.on_last = [](std::uint64_t number, Now now, const Event& event) {
      std::fputs(text_of_last(number, now, event).c_str(), stderr);
    };
    return options;
  }
  options.on_last = [](std::uint64_t number, Now now, const Event& event) {
    print(text_of_last(number, now, event));
  };
  if (asked.events) options.on_event = print_event, options.on_recorded = print_actions;
  return options;
}

}  // namespace

int replay_command(const std::vector<std::string>& arguments, const std::string& program_version) {
  const auto asked = parse(arguments);
  if (!asked) {
    std::fprintf(stderr, "tenured: usage: tenured %s FILE [--from N] [--events] [--json]\n", kReplayOption);
    return number_of(ExitCode::usage);
  }
  const JournalFile file = read_journal(asked->file);
  Replay replayed;
  try {
    replayed = replay(file, program_version, options_for(*asked));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_payload) throw;
    raise(ErrorCode::bad_payload, error.failure().message, {}, escaped(asked->file));
  }
  print(asked->json ? json_of(asked->file, file, replayed, program_version)
                    : said_of(file, replayed, program_version));
  return number_of(replayed.difference ? ExitCode::refused : ExitCode::done);
}

}  // namespace tenure::daemon::journal
