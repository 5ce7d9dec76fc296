#include "watched_store.hpp"

#include <tenure/base/error.hpp>

namespace tenure::testing::detail {

void WatchedStore::write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) {
  if (faults_.take(FaultKind::disk_full, [](const FaultState&) { return true; }) != nullptr)
    raise(ErrorCode::disk, "database or disk is full (a fault of the test)");
  ForwardingStore::write(durability, work);
  on_written_();
}

}  // namespace tenure::testing::detail
