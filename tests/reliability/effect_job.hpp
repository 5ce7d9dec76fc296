#pragma once

#include <cereal/cereal.hpp>

#include <cstdlib>
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

// Enqueued in the step that makes the effect of that id; writes the id once more, into a table of its own.
struct FollowUp {
  static constexpr std::string_view kind = "reliability.follow_up";
  std::string id;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(id));
  }
};

// Whether effects have follow-ups, and clients enqueue some jobs in transactions of tenants' databases. Not where a control database is put
// back beside newer files of tenants: what had been taken over since is in neither then.
inline bool uses_outboxes() {
  const char* setting = std::getenv("KILL_OUTBOXES");
  return setting != nullptr && std::string_view{setting} == "yes";
}

}  // namespace tenure::reliability
