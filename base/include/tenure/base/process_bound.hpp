#pragma once

#include <cstdint>
#include <string_view>

// What fork() copies into a child and what must not be used there: locks, sockets, connections, whatever two processes cannot
// own. A child that executes another program at once meets none of it; posix_spawn, system and popen make such children.
namespace tenure {

// Another number in a child than in its parent.
[[nodiscard]] std::uint64_t forks_of_process();
// ForkedProcess. `object` begins the message: "the client".
[[noreturn]] void refuse_in_child(std::string_view object);

// A member of what belongs to the process that made it. The destructor of its owner asks is_inherited() and then leaves
// everything as it is, since the parent still uses it.
// Threads: any.
class ProcessBound {
 public:
  // Whether this is a child, forked after the object was made. Costs one load.
  [[nodiscard]] bool is_inherited() const { return forks_ != forks_of_process(); }
  void check(std::string_view object) const {
    if (is_inherited()) refuse_in_child(object);
  }

 private:
  std::uint64_t forks_ = forks_of_process();
};

// For its life, a child of fork() gets /dev/null under the descriptor's number: no lock is held and no socket kept open by a
// child that lives on. Not an owner.
class KeptFromChildren {
 public:
  explicit KeptFromChildren(int descriptor);
  ~KeptFromChildren();
  KeptFromChildren(const KeptFromChildren&) = delete;
  KeptFromChildren& operator=(const KeptFromChildren&) = delete;

 private:
  int descriptor_;
};

// From now on a child of fork() begins with the default action for this signal, where a handler of ours would tell the parent.
void default_in_children(int signal);

}  // namespace tenure
