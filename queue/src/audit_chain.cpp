#include "audit_chain.hpp"

#include <tenure/base/bytes.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace tenure::queue {
namespace {

// The first bytes of what is hashed: another order or kind of fields is another number.
constexpr std::string_view kFormat = "tenure.audit/1";
constexpr std::string_view kCut = "...";

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  return std::string{cut_utf8(text, bytes_max - kCut.size())} + std::string{kCut};
}

void put_number(std::string& out, const std::optional<std::int64_t>& number) {
  put(out, static_cast<std::uint8_t>(number ? 1 : 0));
  put(out, number.value_or(0));
}

// A damaged file may hold the greatest number there is.
std::int64_t next_of(std::int64_t number) {
  return number == std::numeric_limits<std::int64_t>::max() ? number : number + 1;
}

std::optional<std::byte> byte_in(std::string_view digits) {
  std::uint8_t value = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || rest != digits.data() + digits.size()) return std::nullopt;
  return std::byte{value};
}

}  // namespace

std::string text_of(const AuditMark& mark) { return std::to_string(mark.number) + ':' + hex_text(mark.hash); }

std::optional<AuditMark> audit_mark_from(std::string_view text) {
  AuditMark mark;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.size() - colon - 1 != mark.hash.size() * 2) return std::nullopt;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + colon, mark.number);
  if (error != std::errc{} || rest != text.data() + colon || mark.number < 0) return std::nullopt;
  for (std::size_t at = 0; at < mark.hash.size(); ++at) {
    const auto byte = byte_in(text.substr(colon + 1 + at * 2, 2));
    if (!byte) return std::nullopt;
    mark.hash[at] = *byte;
  }
  return mark;
}

AuditEntry bounded(AuditEntry entry) {
  for (std::string* const name : {&entry.who.login, &entry.who.terminal, &entry.who.host, &entry.verb})
    *name = cut(std::move(*name), kAuditNameMax);
  entry.subject = cut(std::move(entry.subject), kAuditSubjectMax);
  entry.reason = cut(std::move(entry.reason), kAuditReasonMax);
  return entry;
}

std::string audit_subject(const TenantName& tenant, Generation generation, std::string_view state) {
  return tenant.text() + " generation " + std::to_string(generation.value) + ", " + std::string{state};
}

Sha256Digest chained_hash(const Sha256Digest& previous, const AuditRecord& record) {
  const AuditEntry& entry = record.entry;
  std::string bytes{kFormat};
  bytes += as_text(previous);
  put(bytes, record.number);
  put(bytes, to_us(record.at));
  put(bytes, entry.who.uid);
  put_number(bytes, entry.who.login_uid);
  put_number(bytes, entry.who.sudo_uid);
  for (const std::string* const text :
       {&entry.who.login, &entry.who.terminal, &entry.who.host, &entry.verb, &entry.subject})
    put_text<std::uint32_t>(bytes, *text);
  put(bytes, entry.count);
  put_text<std::uint32_t>(bytes, entry.reason);
  return sha256(bytes);
}

AuditRecord next_record(const AuditMark& head, std::int64_t newest, AuditEntry entry, WallTime now) {
  const std::int64_t last = std::max(head.number, newest);
  if (next_of(last) == last)
    raise(ErrorCode::database_damaged,
          "the audit has no number left, so nothing can be changed that must be recorded");
  AuditRecord record{.number = next_of(last), .at = now, .entry = bounded(std::move(entry))};
  record.hash = chained_hash(head.hash, record);
  return record;
}

AuditCheck::AuditCheck(const AuditMark& anchor, const std::optional<AuditMark>& known)
    : last_(anchor), known_(known) {
  const bool is_whole = anchor == AuditMark{};
  if (known_ && known_->number <= anchor.number && !(is_whole && *known_ == anchor))
    fault(known_->number, "the head that was noted is no more in the chain");
  // No row is ever taken from the beginning, so nothing of ours moves the anchor.
  if (!is_whole)
    fault(1, "rows are cut off at the beginning: somebody has moved the anchor to row " +
                 std::to_string(anchor.number));
}

void AuditCheck::fault(std::int64_t number, std::string text) {
  if (!verdict_.fault) verdict_.fault = AuditFault{number, std::move(text)};
}

void AuditCheck::row(const AuditRecord& record) {
  ++verdict_.records;
  if (record.number <= last_.number) fault(record.number, "the row stands before the beginning of the chain");
  else if (record.number != next_of(last_.number))
    fault(next_of(last_.number),
          "the row is missing; the next one that is there is " + std::to_string(record.number));
  else if (chained_hash(last_.hash, record) != record.hash)
    fault(record.number, "the row does not follow from the one before it: it was edited, moved or put in");
  last_ = {record.number, record.hash};
  if (known_ && known_->number == last_.number && *known_ != last_)
    fault(last_.number, "the row is another one than the head that was noted");
}

AuditVerdict AuditCheck::end(const std::optional<AuditMark>& head) {
  if (!head) {
    fault(next_of(last_.number), "the head is missing, so rows may have been cut off behind this place");
  } else if (head->number > last_.number) {
    fault(next_of(last_.number),
          "rows are cut off at the end: the head names row " + std::to_string(head->number));
  } else if (*head != last_) {
    fault(last_.number,
          "the head is row " + std::to_string(head->number) + " or has another hash than its row");
  }
  if (known_ && known_->number > last_.number)
    fault(next_of(last_.number),
          "rows are cut off at the end: the head that was noted is row " + std::to_string(known_->number));
  verdict_.head = head.value_or(AuditMark{});
  return std::move(verdict_);
}

}  // namespace tenure::queue
