#include "daemon_answer.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

// The dispatcher's journal: the daemon is asked for it, and tenured replays it, since this program has no dispatcher.
namespace tenure::cli {
namespace {

constexpr std::string_view kDump = "dump";
// Between two questions how far it is, and how many there are: five minutes.
constexpr std::chrono::milliseconds kDumpPause{50};
constexpr int kDumpQuestionsMax = 6000;
constexpr std::size_t kCopyBytes = 1UL << 20U;

std::filesystem::path absolute(const std::string& file) {
  std::error_code error;
  auto path = std::filesystem::absolute(file, error);
  if (error)
    raise(ErrorCode::disk,
          "the file is named from the working folder on, which cannot be told: " + error.message());
  return path;
}

// --- Replaying.

// "tenured: BadPayload: it is cut ..."
[[noreturn]] void raise_as_told(const ProgramAnswer& answer) {
  std::string_view words = answer.errors;
  while (words.ends_with('\n')) words.remove_suffix(1);
  if (answer.signal != 0)
    throw Refused{"ReplayEnded", fmt::format("tenured ended by signal {} while it replayed: {}",
                                             answer.signal, escaped(words, 4096))};
  if (const auto program = words.find(": "); program != std::string_view::npos)
    words.remove_prefix(program + 2);
  for (const ErrorCode code : {ErrorCode::bad_payload, ErrorCode::access_refused, ErrorCode::disk,
                               ErrorCode::out_of_memory, ErrorCode::handle_budget_exhausted}) {
    const std::string front = fmt::format("{}: ", name_of(code));
    if (words.starts_with(front)) raise(code, std::string(words.substr(front.size())));
  }
  raise(ErrorCode::internal, fmt::format("tenured did not replay it: {}", escaped(words, 4096)));
}

ExitCode replay_file(Session& session) {
  if (session.words().size() != 1)
    raise(ErrorCode::bad_options, "one journal is replayed at a time; of a file called dump say ./dump");
  if (session.has("events") && session.json())
    raise(ErrorCode::bad_options, "--events is not for --json, which has one document");
  std::vector<std::string> arguments{"--replay-journal", absolute(session.words().front()).string()};
  if (session.has("from")) {
    const auto from = whole_number("from", session.option("from"), 1, INT64_MAX);
    arguments.insert(arguments.end(), {"--from", std::to_string(value_or_raise(from))});
  }
  if (session.has("events")) arguments.emplace_back("--events");
  if (session.json()) arguments.emplace_back("--json");
  std::string document;
  bool is_answered = false;
  const ProgramAnswer answer = session.environment().run_tenured(arguments, [&](std::string_view text) {
    is_answered = true;
    if (session.json()) document += text;
    else session.print(text);
  });
  if (!is_answered || answer.signal != 0 || (answer.exit_code != 0 && answer.exit_code != 1))
    raise_as_told(answer);
  if (session.json()) session.print_json(std::string_view(document).substr(0, document.size() - 1));
  return answer.exit_code == 0 ? ExitCode::done : ExitCode::refused;
}

// --- A file of it.

std::filesystem::path dump_target_of(const Session& session) {
  if (session.words().size() < 2) return {};
  auto target = absolute(session.words()[1]);
  std::error_code ignored;
  if (std::filesystem::symlink_status(target, ignored).type() != std::filesystem::file_type::not_found)
    throw Refused{"FileExists",
                  fmt::format("{} is there already, and nothing is overwritten; name another file",
                              escaped(target.string(), 4096))};
  return target;
}

// Until the daemon has written it; its bytes.
std::int64_t await_file(Session& session, const std::string& file) {
  for (int questions = 0; questions < kDumpQuestionsMax; ++questions) {
    const DaemonAnswer answer = ask_daemon(session, {.path = "/journal"});
    const auto dump = answer.body().member("dump");
    const std::string state = dump && text_in(*dump, "file") == file ? text_in(*dump, "state") : "lost";
    if (state == "written") return number_in(*dump, "bytes");
    if (state != "writing")
      throw DaemonSaysNo{"JournalNotWritten",
                         fmt::format("the daemon did not write {}: {}", escaped(file, 4096),
                                     dump ? escaped(text_in(*dump, "error"), 1024) : "it has begun another"),
                         ExitCode::refused};
    if (!session.environment().pause(kDumpPause)) break;
  }
  throw DaemonSaysNo{"NoAnswer", fmt::format("the daemon still writes {}", escaped(file, 4096)),
                     ExitCode::try_again};
}

void copy_to(const Descriptor& to, const std::filesystem::path& unfinished,
             const std::filesystem::path& file) {
  const Descriptor from(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!from.is_open()) raise_system(errno, "the journal that the daemon has written cannot be read", file);
  for (;;) {
    const auto bytes = read_up_to(from.number(), kCopyBytes);
    if (!bytes) raise_system(errno, "the journal cannot be read", file);
    if (bytes->empty()) break;
    if (!write_all(to.number(), *bytes)) raise_system(errno, "the journal cannot be written", unfinished);
  }
}

// Not over another file, where the file system can tell; else as dump_target_of() has seen it.
void give_name(const std::filesystem::path& unfinished, const std::filesystem::path& target) {
  if (::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno != EINVAL || ::rename(unfinished.c_str(), target.c_str()) != 0)
    raise_system(errno, "the journal cannot be named", target);
}

// It goes beside its name until it is on disk.
void move_to(const std::filesystem::path& file, const std::filesystem::path& target) {
  std::filesystem::path unfinished = target;
  unfinished += ".unfinished";
  Descriptor to(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to.is_open()) raise_system(errno, "the journal cannot be written", unfinished);
  try {
    copy_to(to, unfinished, file);
    to = Descriptor{};
    sync_file(unfinished);
    give_name(unfinished, target);
  } catch (...) {
    ::unlink(unfinished.c_str());  // or it would be in the way of the next try
    throw;
  }
  sync_folder(target.parent_path());
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

ExitCode dump(Session& session) {
  const std::filesystem::path target = dump_target_of(session);
  const DaemonAnswer begun = ask_daemon(session, {.method = "POST", .path = "/journal/dump"});
  const std::string written = text_in(begun.body(), "file");
  const std::int64_t bytes = await_file(session, written);
  if (!target.empty()) move_to(written, target);
  const std::string file = target.empty() ? written : target.string();
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.replay.dump/1").key("item").begin_object();
    write_text(writer, "path", file);
    writer.key("size_bytes").integer(bytes).end_object().end_object();
    session.print_json(out);
  } else {
    session.print(
        fmt::format("written to {}, {}\n", escaped(file, 4096), bytes_text(bytes, session.style())));
  }
  return ExitCode::done;
}

}  // namespace

ExitCode replay_journal(Session& session) {
  return session.words().front() == kDump ? dump(session) : replay_file(session);
}

}  // namespace tenure::cli
