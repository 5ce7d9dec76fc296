#pragma once

#include <cereal/cereal.hpp>

#include <string>
#include <string_view>

// What borders_test.cpp enqueues and border_worker.cpp performs.
namespace tenure::reliability {

// Writes into the database of the tenant in which it is performed that it is job `number`, that it was enqueued for `tenant`, and in which
// tenant it finds itself. With `reads` it opens that file besides, past everything that would keep it from that: the control run.
struct Stay {
  static constexpr std::string_view kind = "border.stay";
  int number = 0;
  std::string tenant;
  std::string reads;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number), CEREAL_NVP(tenant), CEREAL_NVP(reads));
  }
};

}  // namespace tenure::reliability
