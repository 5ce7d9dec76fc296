#pragma once

#include <cereal/cereal.hpp>

#include <string_view>

// What steady_test.cpp enqueues and steady_worker.cpp performs.
namespace tenure::reliability {

// The one of that number in its tenant. One in eight reads its tenant's database, one in sixty-four of those writes there by `once`.
struct Touch {
  static constexpr std::string_view kind = "steady.touch";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

}  // namespace tenure::reliability
