#include "keeper.hpp"

#include "journal_folder.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure::daemon::journal {
namespace {

constexpr std::string_view kDumpFront = "dump-";
constexpr std::string_view kJournalUnfinished = ".journal.unfinished";

// In one piece.
std::string copy_of(const Journal::Pieces& pieces) {
  std::string copy;
  copy.reserve(pieces[0].size() + pieces[1].size());
  for (const std::string_view piece : pieces) copy += piece;
  return copy;
}

bool has_snapshot(const Journal::Pieces& pieces) {
  return std::ranges::any_of(pieces, [](std::string_view piece) {
    RecordReader reader(piece);
    for (Record record; reader.next(record);)
      if (record.kind == RecordKind::snapshot) return true;
    return false;
  });
}

Dump refused(std::string why) {
  return {.state = Dump::State::failed, .file = {}, .bytes = 0, .error = std::move(why)};
}

void make_folder(const std::filesystem::path& folder) {
  if (const int error = make_journal_folder(folder.c_str()); error != 0)
    raise_system(error, "the folder for journals cannot be made or is not the daemon's alone to write",
                 folder);
}

// Goes where it was not named.
struct Unfinished {
  const std::filesystem::path& file;
  bool is_named = false;
  explicit Unfinished(const std::filesystem::path& made) : file(made) {}
  ~Unfinished() {
    if (!is_named) ::unlink(file.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
};

void write_file(const std::filesystem::path& file, const std::string& head, const std::string& records) {
  make_folder(file.parent_path());
  std::filesystem::path path = file;
  path += kUnfinishedEnding;
  const Descriptor opened(make_unfinished_file(path.c_str()));
  if (!opened.is_open()) raise_system(errno, "the journal cannot be written", path);
  Unfinished unfinished(path);
  if (const int error = write_journal(opened.number(), head, {records, {}}); error != 0)
    raise_system(error, "the journal cannot be written", path);
  sync_file(path);
  if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) != 0)
    raise_system(errno, "the journal cannot be named", file);
  unfinished.is_named = true;
  sync_folder(file.parent_path());
}

// Under its lock: else its writer may have given it its name meanwhile.
bool is_left(const std::filesystem::path& path, const Descriptor& file) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.number(), &opened) == 0 && S_ISREG(opened.st_mode) &&
         ::flock(file.number(), LOCK_EX | LOCK_NB) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

void remove_unfinished(const std::filesystem::path& folder) noexcept try {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().native().ends_with(kJournalUnfinished)) continue;
    const Descriptor file(::open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.is_open() && is_left(at->path(), file)) ::unlink(at->path().c_str());
  }
} catch (...) {  // without memory it is left to the next time
}

std::size_t count_files(const std::filesystem::path& folder, std::string_view front) {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    count += at->path().filename().string().starts_with(front) ? 1U : 0U;
  return count;
}

Keeper::Keeper(std::size_t bytes, const std::filesystem::path& control_database, Origin origin)
    : journal_(bytes), folder_(control_database), origin_(std::move(origin)) {
  folder_ += "-journals";
}

Keeper::~Keeper() {
  if (writer_.joinable()) writer_.join();
}

void Keeper::happened(const Dispatcher& dispatcher, const Event& event, Now now) {
  journal_.happened(dispatcher, event, now);
  if (journal_.is_too_large() == is_too_large_told_) return;
  is_too_large_told_ = !is_too_large_told_;
  if (is_too_large_told_)
    log::write(
        log::Level::warning, "journal.too_small",
        fmt::format("All that the dispatcher remembers takes more than a third of daemon.journal_size, "
                    "which is {} bytes: nothing of its journal can be replayed until it remembers less",
                    journal_.size()));
}

Dump Keeper::dump(WallTime now) {
  if (!journal_.is_kept()) return refused("no journal is kept: daemon.journal_size is 0");
  if (last_dump().state == Dump::State::writing)
    return refused(fmt::format("{} is being written: one at a time", escaped(last_dump().file.string())));
  remove_unfinished(folder_);
  if (count_files(folder_, kDumpFront) >= kFilesMax)
    return refused(fmt::format("{} has {} journals already, and no more are written: remove some",
                               escaped(folder_.string()), kFilesMax));
  if (!has_snapshot(journal_.records()))
    return refused(
        "nothing of the journal can be replayed: what the dispatcher remembers takes more than a "
        "third of daemon.journal_size");
  if (writer_.joinable()) writer_.join();
  // A boundary: the daemon does without a file for which it has no memory or no thread.
  try {
    return begin(now);
  } catch (const std::exception& error) {
    return refused(fmt::format("there is no memory or no thread to write it: {}", error.what()));
  }
}

Dump Keeper::begin(WallTime now) {
  std::string records = copy_of(journal_.records());
  Dump begun{.state = Dump::State::writing, .file = {}, .bytes = records.size(), .error = {}};
  begun.file = folder_ / fmt::format("{}{:%Y%m%dT%H%M%S}.{:06}Z-{}.journal", kDumpFront,
                                     std::chrono::floor<std::chrono::seconds>(now), to_us(now) % 1'000'000,
                                     origin_.pid);
  Dump kept = begun;
  const std::lock_guard lock(mutex_);  // which the thread needs to say what has become of it
  writer_ = std::thread([this, records = std::move(records), file = begun.file,
                         head = payload_of(head_of_this_program(origin_.program_version, origin_.node,
                                                                origin_.pid, Why::request))] {
    ::pthread_setname_np(::pthread_self(), "journal");
    write(records, head, file);
  });
  last_ = std::move(kept);
  return begun;
}

Dump Keeper::last_dump() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

// The thread's entry: whatever is wrong is told to who asks for it.
void Keeper::write(const std::string& records, const std::string& head, const std::filesystem::path& file) {
  std::string error;
  std::uintmax_t bytes = 0;
  try {
    write_file(file, head, records);
    bytes = std::filesystem::file_size(file);
  } catch (const std::exception& caught) {
    error = caught.what();
  }
  if (error.empty()) log::write(log::Level::info, "journal.written", escaped(file.string()));
  else log::write(log::Level::error, "journal.failed", "the journal was not written", {.error = error});
  const std::lock_guard lock(mutex_);
  last_.state = error.empty() ? Dump::State::written : Dump::State::failed;
  last_.error = error;
  if (error.empty()) last_.bytes = bytes;
}

}  // namespace tenure::daemon::journal
