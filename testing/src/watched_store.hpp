#pragma once

#include "fault_list.hpp"
#include "forwarding_store.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <utility>

// The queue as applications and handlers have it: what they write is noticed, and may meet a full disk.
namespace tenure::testing::detail {

class WatchedStore final : public ForwardingStore {
 public:
  // All outlive it. `on_written` is called behind each commit, by the thread that made it.
  WatchedStore(queue::Store& store, const FaultList& faults, std::function<void()> on_written)
      : ForwardingStore(store), faults_(faults), on_written_(std::move(on_written)) {}

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override;

 private:
  const FaultList& faults_;
  std::function<void()> on_written_;
};

}  // namespace tenure::testing::detail
