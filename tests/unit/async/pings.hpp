#pragma once

#include "support/shim_vfs.hpp"
#include "support/sync_gate.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/async.hpp>
#include <tenure/client.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/store.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tenure::testing {

namespace asio = boost::asio;

struct Ping {
  static constexpr std::string_view kind = "test.ping";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

inline std::optional<ErrorCode> code_of(const std::exception_ptr& error) {
  if (!error) return std::nullopt;
  try {
    std::rethrow_exception(error);
  } catch (const Error& typed) {
    return typed.code();
  }
}

// What a call ended with, and how often it did.
template <class Answer>
struct Outcome {
  int times = 0;
  std::exception_ptr error;
  std::optional<Answer> answer;
  [[nodiscard]] std::optional<ErrorCode> code() const { return code_of(error); }
};

// A client over a control database whose syncs can be held back, and an event loop on the test's thread.
class AsyncClient : public ::testing::Test {
 protected:
  // The first commit of a log syncs the log's header too, and is none of these.
  void SetUp() override {
    store_->write(Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(1, "test", 1, clock_.wall()));
    });
  }

  // A callback on the loop.
  template <class Answer>
  auto into(Outcome<Answer>& outcome) {
    return asio::bind_executor(loop_, [&outcome](std::exception_ptr error, Answer answer) {
      ++outcome.times;
      outcome.error = std::move(error);
      outcome.answer = std::move(answer);
    });
  }
  std::int64_t jobs() {
    std::int64_t count = 0;
    store_->read(
        [&](queue::JobReader& reader) { count = reader.count_jobs({}, {.limit = 10'000}, {}).count; });
    return count;
  }
  bool has(Uuid id) {
    bool found = false;
    store_->read([&](queue::JobReader& reader) { found = reader.find_job({id}).has_value(); });
    return found;
  }
  // Its commit is there, and its sync is held back.
  Uuid enqueue_up_to_its_sync(Outcome<Uuid>& outcome) {
    gate_.close_after(0);
    const int before = gate_.arrived();
    const Uuid id = uuids_of_process().next(clock_.wall());
    client_->async_enqueue(Ping{0}, {.id = id, .untenanted = true}, into(outcome));
    gate_.wait_for_arrivals(before + 1);
    return id;
  }

  static inline const EnqueueOptions kUntenanted{.untenanted = true};
  TemporaryFolder folder_;
  SyncGate gate_;
  ShimVfs vfs_{[this](const ShimVfs::Event& event) { return gate_.hook(event); }};
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ =
      queue::open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock_);
  asio::io_context loop_;
  std::optional<Client> client_{std::in_place, *store_, clock_, ClientOptions{.application = "test"}};
};

}  // namespace tenure::testing
