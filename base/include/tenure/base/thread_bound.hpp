#pragma once

#include <atomic>
#include <cstdint>

namespace tenure {

// A member of what is bound to one thread: it remembers the thread that calls first and ends the program, in every build, when
// another one calls. It is no lock: what is handed from thread to thread under a lock on purpose (a database connection, the
// worker's end of the protocol) has none.
// Threads: check() from any; release() from the owner.
class ThreadBound {
 public:
  // `object` is a literal, the name in the message.
  explicit constexpr ThreadBound(const char* object) : object_(object) {}
  ThreadBound(const ThreadBound&) = delete;
  ThreadBound& operator=(const ThreadBound&) = delete;

  // The first call binds. Costs two loads. The defaults name the caller's place; std::source_location is unknown to clang 14,
  // which lints us.
  void check(const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
    const std::int32_t caller = this_thread();
    if (owner_.load(std::memory_order_relaxed) != caller) bind_or_abort(caller, file, line);
  }

  // Hands over: the next thread that calls is the owner. What makes the object's content visible to it is the caller's matter.
  void release(const char* file = __builtin_FILE(), int line = __builtin_LINE());

 private:
  static constexpr std::int32_t kNobody = 0;
  // The kernel's number, asked for once.
  static std::int32_t this_thread();
  void bind_or_abort(std::int32_t caller, const char* file, int line) const;

  const char* object_;
  mutable std::atomic<std::int32_t> owner_{kNobody};
};

}  // namespace tenure
