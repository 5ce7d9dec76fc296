#pragma once

#include <cereal/cereal.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// The jobs of bench_daemon, shared by it and its worker program.
namespace tenure::bench {

struct Nothing {
  static constexpr std::string_view kind = "bench.nothing";
  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Writes the moment of its start (steady clock, microseconds, as 8 bytes of the machine) into a pipe.
struct TellStart {
  static constexpr std::string_view kind = "bench.tell_start";
  std::string pipe;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(pipe));
  }
};

}  // namespace tenure::bench
