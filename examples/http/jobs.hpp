#pragma once

#include <tenure/client.hpp>

#include <cereal/cereal.hpp>

#include <chrono>
#include <string>
#include <string_view>

// What the server enqueues, and what comes of it. Its worker program includes this too, and nothing else of the server.
namespace exports {

struct ExportMade {
  std::string file;
  int rows = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(file), CEREAL_NVP(rows));
  }
};

struct MakeExport {
  static constexpr std::string_view kind = "exports.make";
  using Result = ExportMade;  // what its handler returns, for whoever asks
  static tenure::JobOptions options() { return {.queue = "exports", .keep_result = std::chrono::hours{2}}; }

  std::string what;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(what));
  }
};

}  // namespace exports
