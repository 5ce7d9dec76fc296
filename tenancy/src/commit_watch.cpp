#include <tenure/tenancy/commit_watch.hpp>

#include <atomic>

namespace tenure::detail {
namespace {

std::atomic<CommitWatch*> commit_watch = nullptr;
thread_local const CommitLabel* current_label = nullptr;

}  // namespace

void watch_commits(CommitWatch* watch) { commit_watch = watch; }

CommitLabel::CommitLabel(CommitOf of, std::string_view step) : of_(of), step_(step), former_(current_label) {
  current_label = this;
}

CommitLabel::~CommitLabel() { current_label = former_; }

CommitOf CommitLabel::current() { return current_label == nullptr ? CommitOf::write : current_label->of_; }

Commit labelled_commit(const TenantName& tenant, bool is_ordered) {
  if (current_label != nullptr) return {tenant, current_label->of_, current_label->step_};
  return {tenant, is_ordered ? CommitOf::own : CommitOf::write, {}};
}

void tell_before_commit(const TenantName& tenant, bool is_ordered) {
  CommitWatch* const watch = commit_watch.load(std::memory_order_relaxed);
  if (watch != nullptr) watch->before(labelled_commit(tenant, is_ordered));
}

void tell_after_commit(const TenantName& tenant, bool is_ordered) {
  CommitWatch* const watch = commit_watch.load(std::memory_order_relaxed);
  if (watch != nullptr) watch->after(labelled_commit(tenant, is_ordered));
}

}  // namespace tenure::detail
