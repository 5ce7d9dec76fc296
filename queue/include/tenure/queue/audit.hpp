#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/operator_identity.hpp>
#include <tenure/base/sha256.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What operators have changed, and which jobs were refused at a tenant's border: rows in the order of their commits, each with a hash over the one before it and its own content
// (docs/formats/control-database.md). The head, number and hash of the newest row, stands apart, so that rows that are cut off at
// the end are missed. Whoever can write the file can make another chain of it: a head that was noted elsewhere withstands that.
namespace tenure::queue {

// Texts are cut to these bytes when they are recorded; what is cut ends in "...".
inline constexpr std::size_t kAuditSubjectMax = 32UL * 1024;
inline constexpr std::size_t kAuditReasonMax = 1024;
inline constexpr std::size_t kAuditNameMax = 256;  // of login, terminal, host and verb

struct AuditEntry {
  OperatorIdentity who;
  std::string verb;        // "job retry"
  std::string subject;     // to what: the filter, or the names of those that were changed
  std::int64_t count = 0;  // of those that were changed, in the commit that has this record
  std::string reason;      // as the operator has said it
};

struct AuditRecord {
  std::int64_t number = 0;  // from 1, without gaps
  WallTime at{};
  AuditEntry entry;
  Sha256Digest hash{};
};

// A place in the chain: the row with that number has that hash, and number 0 has none.
struct AuditMark {
  std::int64_t number = 0;
  Sha256Digest hash{};
  friend bool operator==(const AuditMark&, const AuditMark&) = default;
};
// "1284:3f5a...", the number and 64 digits.
[[nodiscard]] std::string text_of(const AuditMark& mark);
[[nodiscard]] std::optional<AuditMark> audit_mark_from(std::string_view text);

struct AuditFault {
  std::int64_t number = 0;  // of the first row with which something is wrong
  std::string text;
};

struct AuditVerdict {
  std::int64_t records = 0;  // that are there
  AuditMark head;
  std::optional<AuditFault> fault;  // nothing: the chain is whole
};

}  // namespace tenure::queue
