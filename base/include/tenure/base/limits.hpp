#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// The limits that more than one layer obeys. Each is tested below, at and above; a limit of one class stands with it.
namespace tenure::limits {

// Of an envelope without its seal.
inline constexpr std::size_t kPayloadDefault = 256UL * 1024;  // bytes, unless configured
inline constexpr std::size_t kPayloadMax = 1024UL * 1024;     // bytes, whatever is configured
inline constexpr std::size_t kDepthMax = 64;                  // nesting of a payload
inline constexpr std::size_t kElementsMax = 1'000'000;     // elements of one payload, all containers together
inline constexpr std::size_t kTenantNameMax = 63;          // bytes
inline constexpr std::size_t kKindNameMax = 128;           // bytes
inline constexpr std::size_t kQueueNameMax = 64;           // bytes
inline constexpr std::size_t kApplicationNameMax = 63;     // bytes
inline constexpr std::size_t kPoolNameMax = 64;            // bytes
inline constexpr std::size_t kGlobalIdMax = 4096;          // bytes
inline constexpr std::size_t kErrorTextMax = 10UL * 1024;  // bytes of an error that are kept
inline constexpr std::size_t kReceiptResultMax = 64UL * 1024;  // bytes that a `once` step may return
inline constexpr std::size_t kStepNameMax = 256;               // bytes
inline constexpr int kPriorityLowest = 100;                    // larger numbers run later
inline constexpr int kPriorityHighest = -100;
inline constexpr int kAttemptsDefault = 10;
inline constexpr int kAttemptsMax = 1000;
// How long one run may take.
inline constexpr std::chrono::milliseconds kTimeLimitMin{100};
inline constexpr std::chrono::milliseconds kTimeLimitMax{std::chrono::hours{24 * 30}};
inline constexpr int kCrashesMax = 3;                   // then `dead`, reason `poison`
inline constexpr std::size_t kInternedMax = 10'000;     // distinct kinds, and distinct queues, of one store
inline constexpr std::size_t kProgramKindsMax = 5'000;  // of one worker program, aliases included
inline constexpr std::size_t kBulkMax = 10'000;         // jobs of one bulk enqueue

}  // namespace tenure::limits
