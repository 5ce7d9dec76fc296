#include "crash_file.hpp"

#include "journal_folder.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::daemon::journal {
namespace {

constexpr std::string_view kCrashFront = "crash-";
constexpr std::array kFatal{SIGABRT, SIGSEGV, SIGFPE, SIGILL};
constexpr std::size_t kStackBytes = 64UL * 1024;

// All that the handler needs: it may not allocate.
struct Prepared {
  const Journal* journal = nullptr;
  std::string head, folder, unfinished, file;
  pid_t thread = 0;  // the dispatcher's
  pid_t pid = 0;
};
// Set while there is something to write.
std::atomic<const Prepared*> g_prepared{nullptr};
std::array<char, kStackBytes> g_stack;

void write_prepared(const Prepared& prepared) {
  if (make_journal_folder(prepared.folder.c_str()) != 0) return;
  const int file = make_unfinished_file(prepared.unfinished.c_str());
  if (file < 0) return;
  const bool is_named =
      write_journal(file, prepared.head, prepared.journal->records()) == 0 && ::fsync(file) == 0 &&
      ::renameat2(AT_FDCWD, prepared.unfinished.c_str(), AT_FDCWD, prepared.file.c_str(), RENAME_NOREPLACE) ==
          0;
  if (!is_named) ::unlink(prepared.unfinished.c_str());
  ::close(file);
  if (!is_named) return;
  write_last_words("tenured: its journal is in ");
  write_last_words(prepared.file);
  write_last_words("\n");
}

// Its action was reset before it was called: what it meets itself ends the process at once.
extern "C" void on_fatal_signal(int signal) {
  const Prepared* const prepared = g_prepared.load();
  // On another thread the ring may be under change, and the dispatcher would go on while it is written. A child that has not become
  // its program yet has our memory, and no journal of its own.
  if (prepared != nullptr && ::gettid() == prepared->thread && ::getpid() == prepared->pid)
    write_prepared(*prepared);
  ::raise(signal);  // as soon as this returns
}

void handle_fatal_signals() {
  stack_t stack{};
  stack.ss_sp = g_stack.data();
  stack.ss_size = g_stack.size();
  ::sigaltstack(&stack, nullptr);  // of this thread, which may have used up its own
  struct sigaction action {};
  action.sa_handler = on_fatal_signal;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  ::sigemptyset(&action.sa_mask);
  for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
}

}  // namespace

CrashFile::CrashFile(const Keeper& keeper, WallTime now) {
  if (!keeper.journal().is_kept()) return;
  remove_unfinished(keeper.folder());
  if (count_files(keeper.folder(), kCrashFront) >= kFilesMax) {
    log::write(
        log::Level::warning, "journal.crashes_left",
        fmt::format("{} has {} journals of crashes, and no more are written: look at them and remove some",
                    escaped(keeper.folder().string()), kFilesMax));
    return;
  }
  auto prepared = std::make_unique<Prepared>();
  const Origin& origin = keeper.origin();
  prepared->journal = &keeper.journal();
  prepared->head =
      payload_of(head_of_this_program(origin.program_version, origin.node, origin.pid, Why::crash));
  prepared->folder = keeper.folder().string();
  prepared->file = (keeper.folder() / fmt::format("{}{:%Y%m%dT%H%M%S}Z-{}.journal", kCrashFront,
                                                  std::chrono::floor<std::chrono::seconds>(now), origin.pid))
                       .string();
  prepared->unfinished = prepared->file + std::string(kUnfinishedEnding);
  prepared->thread = ::gettid();
  prepared->pid = ::getpid();
  g_prepared = prepared.release();
  handle_fatal_signals();
}

CrashFile::~CrashFile() { delete g_prepared.exchange(nullptr); }

}  // namespace tenure::daemon::journal
