#include "receipts.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/own_tables.hpp>

namespace tenure {
namespace {

using sqlite::Query;

// Whether a later run of the job has been here. ?1 job  ?2 incarnation  ?3 counter. Index: primary key, prefix.
constexpr Query kFindLaterReceipt{"find_later_receipt", R"sql(
  select 1 from main.tenure_receipts
  where job_id = ?1 and (incarnation, counter) > (?2, ?3) limit 1)sql"};

// ?1 job  ?2 step. Index: primary key.
constexpr Query kFindReceipt{"find_receipt", R"sql(
  select result from main.tenure_receipts where job_id = ?1 and step = ?2)sql"};

// ?1 job  ?2 step  ?3 incarnation  ?4 counter  ?5 now  ?6 result.
constexpr Query kInsertReceipt{"insert_receipt", R"sql(
  insert into main.tenure_receipts (job_id, step, incarnation, counter, written_us, result)
  values (?1, ?2, ?3, ?4, ?5, ?6))sql"};

std::span<const std::byte> bytes_of(const queue::JobId& job) {
  return std::as_bytes(std::span{job.uuid.bytes()});
}

}  // namespace

std::optional<std::string> find_receipt(TenantTransaction& transaction, queue::JobId job,
                                        const queue::ClaimToken& token, std::string_view step) {
  OwnTables tables{transaction};
  {
    auto later = tables.statement(kFindLaterReceipt);
    if (later.bind(bytes_of(job), token.incarnation.value, token.counter).step())
      raise(ErrorCode::claim_lost, "a later run of this job has written to the tenant's database",
            transaction.tenant().text());
  }
  auto receipt = tables.statement(kFindReceipt);
  if (!receipt.bind(bytes_of(job), step).step()) return std::nullopt;
  return std::string{as_text(receipt.blob(0))};
}

void write_receipt(TenantTransaction& transaction, queue::JobId job, const queue::ClaimToken& token,
                   std::string_view step, std::string_view result, WallTime now) {
  OwnTables tables{transaction};
  tables.statement(kInsertReceipt)
      .bind(bytes_of(job), step, token.incarnation.value, token.counter, to_us(now), as_bytes(result))
      .run();
}

}  // namespace tenure
