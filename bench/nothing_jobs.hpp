#pragma once

#include <cereal/cereal.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// The jobs of what starts `tenured`, shared with its worker program.
namespace tenure::bench {

struct Nothing {
  static constexpr std::string_view kind = "bench.nothing";
  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Takes its slot for so long.
struct Sleeps {
  static constexpr std::string_view kind = "bench.sleeps";
  std::int64_t us = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(us));
  }
};

// Writes a row into its tenant's database, and that is all.
struct Writes {
  static constexpr std::string_view kind = "bench.writes";
  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Writes the row by `once`, and enqueues a job that does nothing in the same step.
struct WritesOnce {
  static constexpr std::string_view kind = "bench.writes_once";
  std::string text;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Ends its process by a signal, as often as it is tried.
struct Poison {
  static constexpr std::string_view kind = "bench.poison";
};

// Its first run says the number of its process and goes on until that is killed; the second does as TellStart.
struct StayOnce {
  static constexpr std::string_view kind = "bench.stay_once";
  std::string pipe;
  std::string mark;  // a file that is there from the first run on

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(pipe), CEREAL_NVP(mark));
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
