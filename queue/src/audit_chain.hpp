#pragma once

#include <tenure/queue/audit.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <optional>
#include <string>
#include <string_view>

// The chain of audit records, without I/O: how a row is hashed, and whether rows follow each other. Internal to the stores.
namespace tenure::queue {

// Within the limits, as it is recorded.
[[nodiscard]] AuditEntry bounded(AuditEntry entry);

// "acme generation 1, active"
[[nodiscard]] std::string audit_subject(const TenantName& tenant, Generation generation,
                                        std::string_view state);

// Of a row that stands behind one with the hash `previous`. `record.hash` is not looked at.
[[nodiscard]] Sha256Digest chained_hash(const Sha256Digest& previous, const AuditRecord& record);

// The next row behind `head`, whatever `newest` row is there: a number never comes back, and where head and rows disagree, the chain
// stays visibly broken at this row instead of being mended by it.
[[nodiscard]] AuditRecord next_record(const AuditMark& head, std::int64_t newest, AuditEntry entry,
                                      WallTime now);

// Takes the rows in the order of their numbers and finds the first with which something is wrong.
class AuditCheck {
 public:
  // `anchor` is the row before the first one that is still kept. `known` is a head that was noted before, or nothing.
  AuditCheck(const AuditMark& anchor, const std::optional<AuditMark>& known);

  void row(const AuditRecord& record);
  // `head` is nothing where the store has none.
  [[nodiscard]] AuditVerdict end(const std::optional<AuditMark>& head);

 private:
  void fault(std::int64_t number, std::string text);

  AuditMark last_;
  std::optional<AuditMark> known_;
  AuditVerdict verdict_;
};

}  // namespace tenure::queue
