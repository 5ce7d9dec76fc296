#pragma once

#include "session.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace tenure::cli {

// How far something is: on a terminal a bar that is drawn again in its place, else a line now and then.
class Progress {
 public:
  using NumberText = std::string (*)(std::int64_t number, const ShowStyle& style);

  // `number_text` says what the numbers are: jobs, bytes.
  Progress(Session& session, NumberText number_text);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::int64_t done, std::int64_t total);

 private:
  [[nodiscard]] Instant steady() const;
  [[nodiscard]] std::string bar_text(std::int64_t done, std::int64_t total,
                                     std::chrono::microseconds passed) const;

  Session& session_;
  NumberText number_text_;
  bool bar_;
  Instant begun_;
  Instant next_;
};

}  // namespace tenure::cli
