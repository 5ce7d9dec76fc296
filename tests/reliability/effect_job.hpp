#pragma once

#include <cereal/cereal.hpp>

#include <string>
#include <string_view>

namespace tenure::reliability {

// Writes its id into the database of its tenant, once.
struct Effect {
  static constexpr std::string_view kind = "reliability.effect";
  std::string id;
  std::string tenant;  // of the enqueue, to compare with where the effect is found
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(id), CEREAL_NVP(tenant));
  }
};

}  // namespace tenure::reliability
