#pragma once

#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace tenure::reliability {

// What the processes of one test tell each other: numbers in memory that they share through a file, never in
// a database that is under test.
struct Board {
  static constexpr int kProcessesMax = 8;

  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> errors{0};
  std::atomic<std::int64_t> writes[kProcessesMax]{};
  std::atomic<std::int64_t> commits[kProcessesMax]{};

  // As they were when the first process had done its work.
  std::atomic<bool> finished{false};
  std::int64_t writes_then[kProcessesMax]{};
  std::int64_t commits_then[kProcessesMax]{};

  std::atomic<bool> sync_held{false};
  std::atomic<bool> release_sync{false};

  void line_up() {
    ++ready;
    while (!go) std::this_thread::yield();
  }
  void finish() {
    if (finished.exchange(true)) return;
    for (int i = 0; i < kProcessesMax; ++i) {
      writes_then[i] = writes[i];
      commits_then[i] = commits[i];
    }
    stop = true;
  }
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free,
              "else it could not be shared between processes");

// A zeroed file is a valid, empty board.
class SharedBoard {
 public:
  explicit SharedBoard(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0 || ::ftruncate(descriptor, sizeof(Board)) != 0)
      throw std::system_error(errno, std::generic_category(), file.string());
    void* memory = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), file.string());
    board_ = static_cast<Board*>(memory);
  }
  ~SharedBoard() { ::munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board* operator->() const { return board_; }
  Board& operator*() const { return *board_; }

 private:
  Board* board_;
};

}  // namespace tenure::reliability
