#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/queue/seal.hpp>
#include <tenure/queue/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenure::queue {

// What is stored and sent as a job's payload: who the job is, then its arguments. Column, envelope, Global IDs, scope and
// stamp must all name the same tenant, so that a row edited in the store is refused without any key.
//
// Format, version 1 (docs/formats/envelope.md), all text:
//   tenure/1 ID TENANT GENERATION KIND SIZE\n
//   ARGUMENTS
// ID is the job's UUID; TENANT is the name, or `-` with generation 0 for an untenanted job; SIZE is the number of bytes
// of ARGUMENTS, which are JSON. A sealed one has a seventh word before the line's end, the seal. Single spaces, no leading zeros: one
// value has one text.
struct Envelope {
  JobId id;
  std::optional<TenantName> tenant;
  Generation generation;
  std::string kind;
  std::string arguments;
  std::optional<Seal> seal = std::nullopt;

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

inline constexpr int kEnvelopeVersion = 1;

// What a seal adds to an envelope: a blank and its digits. It takes nothing of what a job may carry.
inline constexpr std::size_t kSealBytes = 1 + 2 * Seal{}.size();
// Of the longest envelope that a store takes.
inline constexpr std::size_t kEnvelopeMax = limits::kPayloadMax + kSealBytes;

[[nodiscard]] std::string write_envelope(const Envelope& envelope);
// What stands before the arguments in an envelope without a seal. Together they are what is sealed.
[[nodiscard]] std::string envelope_head(const Envelope& envelope);
// Whether the bytes are that envelope, whatever seal they have.
[[nodiscard]] bool says_same_job(std::string_view bytes, const Envelope& envelope);

// NewerEnvelope (`blocked` until a worker knows it) or BadPayload, whose message begins with the reason word (NotAnEnvelope,
// Truncated, TrailingBytes, OutOfRange). Never looks into the arguments.
[[nodiscard]] Result<Envelope> read_envelope(std::string_view bytes);

}  // namespace tenure::queue
