#pragma once

#include "bookkeeping.hpp"

#include <tenure/queue/memory_store.hpp>
#include <tenure/tenancy/graveyard.hpp>

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

// The small application, whose tenants go and come back as later generations.
namespace tenure::testing {

class Generations : public Bookkeeping {
 protected:
  // One run of a new job of that tenant by this handler; what it has failed with.
  std::optional<queue::AttemptFailure> handled(std::string_view tenant,
                                               std::function<void(JobContext&)> handler) {
    return ended(tenant, std::move(handler)).failure_or_none();
  }

  struct Ended {
    queue::AttemptEnd end;
    [[nodiscard]] std::optional<queue::AttemptFailure> failure_or_none() const {
      if (end.result == queue::RunResult::succeeded) return std::nullopt;
      return end.failure;
    }
  };
  Ended ended(std::string_view tenant, std::function<void(JobContext&)> handler) {
    if (!std::exchange(has_handler_, true))
      jobs_.add<PayAll>([this](const PayAll&, JobContext& context) { handler_(context); });
    handler_ = std::move(handler);
    with_tenant(tenant, [&] { client_.enqueue(PayAll{}); });
    const queue::ClaimedJob job = claim();
    queue::RunNotes notes{{job.seq, job.token}};
    return {end_of(performer_, job, {}, notes)};
  }

  [[nodiscard]] Graveyard graveyard() const { return {handles_.files(), "books"}; }
  [[nodiscard]] Generation generation_of(const TenantName& tenant) {
    return store_->registry().find(tenant)->generation;
  }
  // What `tenure tenant delete` does with the tenant's files.
  Burial remove(const TenantName& tenant) {
    handles_.close_idle();
    Burial burial = graveyard().bury(tenant, generation_of(tenant));
    queue::set_tenant_state_for_test(*store_, tenant, TenantState::deleted);
    return burial;
  }
  Generation begin_anew(const TenantName& tenant) {
    static_cast<void>(remove(tenant));
    return tenants_.create(tenant).generation;
  }
  // As `tenure tenant undelete` does.
  Generation take_back(const TenantName& tenant) {
    return graveyard().take_back(tenant, generation_of(tenant), store_->registry(), clock_).generation;
  }

 private:
  std::function<void(JobContext&)> handler_;
  bool has_handler_ = false;
};

}  // namespace tenure::testing
