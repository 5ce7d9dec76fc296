#pragma once

#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <string_view>

// Who is told of each commit in a tenant's database: the test kit, in a process that is to die there. Production has nobody, and pays the
// load of one pointer for each commit. Not for users.
namespace tenure::detail {

// What a commit is of, as far as whoever makes it says so.
enum class CommitOf : std::uint8_t {
  write,  // nobody has said: a transaction of user code
  step,   // a step of `once`; nothing is written where an earlier run has done it
  own,    // bookkeeping of Tenure's own
};

struct Commit {
  const TenantName& tenant;
  CommitOf of = CommitOf::write;
  std::string_view step;  // its name; empty where it is none
};

class CommitWatch {
 public:
  virtual ~CommitWatch() = default;
  // Everything is written and nothing committed.
  virtual void before(const Commit& commit) = 0;
  // It is on disk; one that is ordered is only visible.
  virtual void after(const Commit& commit) = 0;
};

// Null: nobody. It is told by whichever thread commits, and outlives that. Threads: while nobody commits.
void watch_commits(CommitWatch* watch);

// For as long as it lives the commits of this thread are of that.
class CommitLabel {
 public:
  explicit CommitLabel(CommitOf of, std::string_view step = {});
  ~CommitLabel();
  CommitLabel(const CommitLabel&) = delete;
  CommitLabel& operator=(const CommitLabel&) = delete;

  // Of this thread; `write` where there is none.
  [[nodiscard]] static CommitOf current();

 private:
  const CommitOf of_;
  const std::string_view step_;
  const CommitLabel* const former_;
  friend Commit labelled_commit(const TenantName& tenant, bool is_ordered);
};

// A commit of this thread as its label says; user code makes none that is ordered.
[[nodiscard]] Commit labelled_commit(const TenantName& tenant, bool is_ordered);
// For whoever commits.
void tell_before_commit(const TenantName& tenant, bool is_ordered);
void tell_after_commit(const TenantName& tenant, bool is_ordered);

}  // namespace tenure::detail
