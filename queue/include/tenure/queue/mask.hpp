#pragma once

#include <tenure/base/error.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which members of arguments are secret, what may be shown of them, and how texts that somebody writes about a job are kept free of
// their values. For whoever shows, logs or stores such a text: the daemon's workers, the client, the command line.
// Threads: values; const methods from any number at once.
namespace tenure::queue {

// What stands for a secret.
inline constexpr std::string_view kMasked = "••••";

// Besides the names that contain password, token or secret: those that one of the patterns matches as a whole (`*` any run, `?` one
// character). Upper and lower case of ASCII are one.
class Mask {
 public:
  Mask() = default;
  explicit Mask(const std::vector<std::string>& patterns);

  [[nodiscard]] bool covers(std::string_view name) const;
  // Arguments as they may be shown: the same JSON with the value of each member whose name is covered, at any depth, replaced by kMasked.
  // Empty where `json` is no JSON, since then nothing could be masked.
  [[nodiscard]] std::string shown(std::string_view json) const;
  // Arguments, or any JSON of an application's, with the same shape as far as that tells nothing: in members whose names are covered each
  // text is kMasked, each number 0, each boolean false, and each object empty. Empty where `json` is none.
  [[nodiscard]] std::string redacted(std::string_view json) const;
  // What it was made from, in lower case.
  [[nodiscard]] const std::vector<std::string>& patterns() const { return patterns_; }
  // A failure as it may be told: of what lies in a covered member the code, the reason, the byte and the path up
  // to it are left.
  [[nodiscard]] Failure told(Failure failure) const;

 private:
  // A path (json::Value::path) up to its first step that is covered: what follows may be a key that is secret itself. Nothing: none is.
  // A step that shows the beginning of a key only is taken for covered.
  [[nodiscard]] std::optional<std::string_view> covered_front(std::string_view path) const;

  std::vector<std::string> patterns_;
};

// The secrets of one job's arguments, so that its texts can be searched for them.
class Secrets {
 public:
  // Of what is no JSON none are known.
  Secrets(const Mask& mask, std::string_view arguments);

  // `text` with each secret replaced by kMasked: strings, numbers and keys of covered members, as they are, as escaped() shows them, and
  // as JSON; of one that was cut off its beginning. What is shorter than kShortest is left, since any text holds it by chance.
  [[nodiscard]] std::string hidden_in(std::string_view text) const;
  // The same of message and place, and as Mask::told says.
  [[nodiscard]] Failure hidden_in(Failure failure) const;

  static constexpr std::size_t kShortest = 3;       // bytes
  static constexpr std::size_t kShortestPart = 16;  // of a secret's beginning

 private:
  class Collector;
  void add(std::string_view secret);

  const Mask mask_;
  std::vector<std::string> forms_;  // sorted, each once
};

}  // namespace tenure::queue
