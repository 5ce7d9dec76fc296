#pragma once

#include "limit_rows.hpp"

#include <span>
#include <string_view>

// Limits declared, set and unset, on whatever rows. Internal.
namespace tenure::queue {

class LimitVerbs {
 public:
  // The rows outlive it.
  explicit LimitVerbs(LimitRows& rows) : rows_(rows) {}

  // As LimitWriter says.
  void declare(std::span<const DeclaredLimit> limits);
  [[nodiscard]] Result<bool> set(const NewLimit& limit, WallTime now);
  [[nodiscard]] Result<void> unset(std::string_view name);
  [[nodiscard]] std::optional<OpenLimits> open(LimitsMark known);

 private:
  [[nodiscard]] std::optional<LimitRecord> named(std::string_view name);
  void update(const LimitRecord& before, const LimitRecord& after);
  [[nodiscard]] Result<bool> set_new(const NewLimit& limit, SetLimit set);

  LimitRows& rows_;
};

}  // namespace tenure::queue
