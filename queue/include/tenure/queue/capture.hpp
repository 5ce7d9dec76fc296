#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Operators' requests for capsules: of which runs a worker process keeps what they were given and did (replay/capsule.hpp). A request
// is a row of the control database, which the dispatcher reads; it ends with its last capsule, at its time, or by an operator.
namespace tenure::queue {

inline constexpr std::size_t kCapturesMax = 100;  // open at once
inline constexpr int kCaptureCountMax = 1000;     // capsules of one request
inline constexpr std::chrono::hours kCaptureUntilMax{30 * 24};
inline constexpr std::int64_t kCapsulesKept = 1000;  // notes of what became of captures
inline constexpr std::size_t kCapsuleFileMax = 255;  // bytes of its name

// "failure", "success", "any".
[[nodiscard]] std::string_view name_of(CaptureOn on);
[[nodiscard]] std::optional<CaptureOn> capture_on_named(std::string_view name);
// A name in the folder of capsules: no path, not hidden, at most kCapsuleFileMax bytes of UTF-8 without control characters.
[[nodiscard]] bool is_capsule_file_name(std::string_view name);

// One job, or each of a kind, of a tenant, or of both.
struct CaptureTarget {
  std::optional<JobId> job = std::nullopt;
  std::string kind = {};  // empty: whatever kind
  std::optional<TenantName> tenant = std::nullopt;
  friend bool operator==(const CaptureTarget&, const CaptureTarget&) = default;
};

struct NewCapture {
  CaptureTarget target;
  CaptureOn on = CaptureOn::failure;
  int count = 1;     // of capsules: 1 to kCaptureCountMax
  WallTime until{};  // at most kCaptureUntilMax from now
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
};

// What operators see of a request.
struct CaptureRecord {
  CaptureNumber number;
  CaptureTarget target;
  Generation generation;  // of its tenant, where it names one
  CaptureOn on = CaptureOn::failure;
  int left = 0;
  std::int64_t taken = 0;
  std::int64_t failed = 0;  // runs that ended as was asked, and whose capsule could not be made
  WallTime asked{};
  WallTime until{};
  std::int64_t uid = 0;
  std::string login;
  std::string reason;
  friend bool operator==(const CaptureRecord&, const CaptureRecord&) = default;
};

// What became of one run that ended as was asked.
struct CapsuleNote {
  std::optional<JobId> job;  // nothing: its row has gone
  CaptureNumber request;
  WallTime at{};
  std::string file;  // empty: there is none, and `failure` says why
  std::optional<Failure> failure = std::nullopt;
  friend bool operator==(const CapsuleNote&, const CapsuleNote&) = default;
};

// What a dispatcher needs of a request.
struct OpenCapture {
  CaptureNumber number;
  std::optional<JobSeq> job = std::nullopt;
  std::string kind = {};
  std::optional<TenantNumber> tenant = std::nullopt;
  CaptureOn on = CaptureOn::failure;
  int left = 0;
  WallTime until{};
  friend bool operator==(const OpenCapture&, const OpenCapture&) = default;
};
// Grows by every change of a request, whoever makes it; before the first one 0.
using CapturesMark = Strong<struct CapturesMarkTag, std::int64_t>;
struct OpenCaptures {
  CapturesMark mark;
  std::vector<OpenCapture> requests;  // by number
};

}  // namespace tenure::queue
