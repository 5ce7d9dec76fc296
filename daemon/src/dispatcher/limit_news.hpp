#pragma once

#include "remembered.hpp"

#include <tenure/queue/limit_rule.hpp>

#include <optional>
#include <utility>
#include <vector>

// What is to be told to the store of limits, and as of which change its own are known. What they mean for lanes is StartLimits'.
namespace tenure::daemon {

class LimitNews {
 public:
  // Nothing: there is no configuration, and what stands in the store stays.
  explicit LimitNews(std::optional<std::vector<queue::DeclaredLimit>> declared)
      : to_declare_(std::move(declared)) {}

  void declare(std::vector<queue::DeclaredLimit> limits) { to_declare_ = std::move(limits); }
  [[nodiscard]] const std::optional<std::vector<queue::DeclaredLimit>>& to_declare() const {
    return to_declare_;
  }
  [[nodiscard]] queue::LimitsMark mark() const { return mark_; }
  [[nodiscard]] bool has_buckets() const { return has_buckets_; }

  void declared(const std::optional<std::vector<queue::DeclaredLimit>>& limits) {
    if (limits == to_declare_) to_declare_.reset();
  }
  void read(queue::LimitsMark mark) { mark_ = mark; }
  void read_buckets() { has_buckets_ = true; }

 private:
  std::optional<std::vector<queue::DeclaredLimit>> to_declare_;
  queue::LimitsMark mark_{0};
  bool has_buckets_ = false;  // those of the dispatcher before this one

  TENURE_REMEMBERS(limits_to_declare, known_limits, buckets_read)
};

}  // namespace tenure::daemon
