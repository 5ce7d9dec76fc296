#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace tenure::testing {

// SQLite's door to the disk with a test standing in it: while it lives, every file that SQLite opens passes
// through here, and a hook may act, wait or refuse before the real call. It changes no data and no locking.
// It is SQLite's default VFS from construction to destruction: one at a time, and every connection inside its
// life. Threads: the hook runs on the thread that called SQLite, without a lock of ours; calls that it makes
// itself pass freely.
class ShimVfs {
 public:
  enum class Call : std::uint8_t { read, write, sync, truncate, unfetch, remove };
  enum class File : std::uint8_t { database, wal, other };
  struct Event {
    Call call;
    File file;
    std::string_view path;
    // Of a write: what and where; of a truncation: to which size.
    std::string_view bytes = {};
    std::int64_t offset = 0;
  };
  // 0 goes on to the real call; else SQLite gets the number as the result, as an errno-less failure. kLeftOut, of a sync: it is not
  // made, and SQLite is told that it was; for tests that fear no power cut and are slow for it.
  static constexpr int kLeftOut = -1;
  using Hook = std::function<int(const Event&)>;

  explicit ShimVfs(Hook hook);
  ~ShimVfs();
  ShimVfs(const ShimVfs&) = delete;
  ShimVfs& operator=(const ShimVfs&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenure::testing
