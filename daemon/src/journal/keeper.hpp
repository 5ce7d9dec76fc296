#pragma once

#include "journal.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

// The journal of a daemon that runs: kept in memory, written into the folder CONTROL-journals beside the control database where an
// operator asks for it, and where the daemon crashes (crash_file.hpp). Files have mode 0600, are written beside their name and get it when
// they are on disk.
// Threads: the daemon's. A file is written by a thread of its own, `journal`, from a copy.
namespace tenure::daemon::journal {

// In one folder, of those that were asked for and of those of crashes: more are not written, and nothing is removed.
inline constexpr std::size_t kFilesMax = 16;

// Who keeps it, for the heads of files.
struct Origin {
  std::string program_version;
  std::string node;
  std::int64_t pid = 0;
};

// A file that was asked for.
struct Dump {
  enum class State : std::uint8_t { none, writing, written, failed };
  State state = State::none;
  std::filesystem::path file;
  std::size_t bytes = 0;  // of the file; of its records while it is written
  std::string error;      // why it has failed, or why it was refused
};

class Keeper {
 public:
  // `bytes` of memory; 0: nothing is kept. `control_database` is the file beside which the folder is.
  Keeper(std::size_t bytes, const std::filesystem::path& control_database, Origin origin);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Around each step.
  void happened(const Dispatcher& dispatcher, const Event& event, Now now);
  void decided(const Actions& actions) { journal_.decided(actions); }

  // Begins a file: `writing`, or `failed` at once where none can be begun now, be it for want of memory or of a thread.
  [[nodiscard]] Dump dump(WallTime now);
  // The last one that was begun.
  [[nodiscard]] Dump last_dump() const;

  [[nodiscard]] const Journal& journal() const { return journal_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const Origin& origin() const { return origin_; }

 private:
  Dump begin(WallTime now);
  void write(const std::string& records, const std::string& head, const std::filesystem::path& file);

  Journal journal_;
  std::filesystem::path folder_;
  Origin origin_;
  bool is_too_large_told_ = false;
  mutable std::mutex mutex_;
  Dump last_;  // with mutex_
  std::thread writer_;
};

// Removes what processes that were killed have left unfinished in the folder; what somebody still writes stays.
void remove_unfinished(const std::filesystem::path& folder) noexcept;

// How many files of the folder begin so; 0 where there is no folder.
[[nodiscard]] std::size_t count_files(const std::filesystem::path& folder, std::string_view front);

}  // namespace tenure::daemon::journal
