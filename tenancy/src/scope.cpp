#include <tenure/base/error.hpp>
#include <tenure/tenancy/scope.hpp>

#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <vector>

namespace tenure {
namespace detail {

// Shared between the scope and its thread, so that a scope that escaped to another thread, or outlived an
// outer one, can be marked as left without touching the other's list.
struct ScopeFrame {
  std::optional<TenantName> tenant;
  Generation generation;
  std::thread::id thread = std::this_thread::get_id();
  std::atomic<bool> left = false;
};

}  // namespace detail

namespace {

using Frames = std::vector<std::shared_ptr<detail::ScopeFrame>>;

thread_local Frames frames;

void drop_left() {
  std::erase_if(frames, [](const auto& frame) { return frame->left.load(std::memory_order_acquire); });
}

const detail::ScopeFrame* current() {
  for (auto it = frames.rbegin(); it != frames.rend(); ++it)
    if (!(*it)->left.load(std::memory_order_acquire)) return it->get();
  return nullptr;
}

std::shared_ptr<detail::ScopeFrame> enter(std::optional<TenantName> tenant, Generation generation) {
  auto frame = std::make_shared<detail::ScopeFrame>();
  frame->tenant = std::move(tenant);
  frame->generation = generation;
  drop_left();
  frames.push_back(frame);
  return frame;
}

[[noreturn]] void raise_stale(const TenantName& tenant, Generation wanted, Generation is,
                              std::string_view what) {
  raise(ErrorCode::stale_generation,
        fmt::format("{} is of generation {} of {}, the scope of generation {}", what, wanted.value,
                    tenant.text(), is.value),
        tenant.text());
}

}  // namespace

TenantScope::TenantScope(const TenantName& tenant, Generation generation) {
  const detail::ScopeFrame* outer = current();
  if (outer != nullptr && outer->tenant) {
    if (*outer->tenant != tenant)
      raise(ErrorCode::tenant_swap_prohibited,
            fmt::format(
                "the scope of {} cannot be entered inside that of {}; leave it first, or pass AllowSwap",
                tenant.text(), outer->tenant->text()),
            tenant.text());
    if (generation.value == 0) generation = outer->generation;
    if (outer->generation.value != 0 && generation != outer->generation)
      raise_stale(tenant, generation, outer->generation, "the inner scope");
  }
  frame_ = enter(tenant, generation);
}

TenantScope::TenantScope(const TenantName& tenant, Generation generation, AllowSwap)
    : frame_(enter(tenant, generation)) {}

TenantScope::TenantScope(std::nullopt_t) : frame_(enter(std::nullopt, Generation{})) {}

TenantScope::~TenantScope() {
  frame_->left.store(true, std::memory_order_release);
  if (frame_->thread == std::this_thread::get_id()) drop_left();
}

std::optional<TenantName> current_tenant() {
  const detail::ScopeFrame* frame = current();
  return frame == nullptr ? std::nullopt : frame->tenant;
}

Generation current_generation() {
  const detail::ScopeFrame* frame = current();
  return frame == nullptr ? Generation{} : frame->generation;
}

void require_current(const TenantName& tenant, Generation generation, std::string_view what) {
  const detail::ScopeFrame* frame = current();
  if (frame == nullptr || !frame->tenant)
    raise(ErrorCode::no_tenant,
          fmt::format("{} belongs to {}, and no tenant is current: use it inside with_tenant. A scope is its "
                      "thread's: a new thread has none, and a handle and a context are for the thread that "
                      "has them",
                      what, tenant.text()),
          tenant.text());
  if (*frame->tenant != tenant)
    raise(
        ErrorCode::wrong_tenant,
        fmt::format("{} belongs to {}, the current tenant is {}", what, tenant.text(), frame->tenant->text()),
        tenant.text());
  if (frame->generation.value != 0 && generation.value != 0 && frame->generation != generation)
    raise_stale(tenant, generation, frame->generation, what);
}

std::size_t scope_depth() {
  drop_left();
  return frames.size();
}

std::size_t leave_all_scopes() {
  const std::size_t depth = scope_depth();
  for (const auto& frame : frames) frame->left.store(true, std::memory_order_release);
  frames.clear();
  return depth;
}

ScopesAside::ScopesAside() { frames_.swap(frames); }

ScopesAside::~ScopesAside() {
  leave_all_scopes();
  frames_.swap(frames);
}

}  // namespace tenure
