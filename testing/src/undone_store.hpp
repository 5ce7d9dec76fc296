#pragma once

#include "forwarding_store.hpp"

namespace tenure::testing::detail {

// A queue of which every commit is undone: shows what one would do.
class UndoneStore final : public ForwardingStore {
 public:
  // `store` outlives it.
  explicit UndoneStore(queue::Store& store) : ForwardingStore(store) {}

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    struct Undone {};
    try {
      ForwardingStore::write(durability, [&](queue::StoreWriter& writer) {
        work(writer);
        throw Undone{};
      });
    } catch (const Undone&) {  // as it is meant
    }
  }
};

}  // namespace tenure::testing::detail
