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

// ?1 ?2 from  ?3 horizon  ?4 written before  ?5 how many. Index: primary key. The length of a result is told without reading it.
constexpr Query kNextReceipts{"next_receipts", R"sql(
  select job_id, step, case when written_us < ?4 then length(result) else 0 end from main.tenure_receipts
  where (job_id, step) >= (?1, ?2) and job_id < ?3 order by job_id, step limit ?5)sql"};

// ?1 ?2 from  ?3 ?4 until, which stays  ?5 written before. Index: primary key.
constexpr Query kForgetReceipts{"forget_receipts", R"sql(
  delete from main.tenure_receipts
  where (job_id, step) >= (?1, ?2) and (job_id, step) < (?3, ?4) and written_us < ?5)sql"};

std::span<const std::byte> bytes_of(const queue::JobId& job) {
  return std::as_bytes(std::span{job.uuid.bytes()});
}

[[noreturn]] void raise_damaged(const TenantTransaction& transaction, const OwnTables& tables) {
  raise(ErrorCode::database_damaged, "a row of tenure_receipts has no id of a job; Tenure did not do that",
        transaction.tenant().text(), tables.connection().path().string());
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

std::optional<ReceiptPlace> place_behind(TenantTransaction& transaction, const ReceiptPlace& from,
                                         queue::JobId horizon, const ReceiptBounds& bounds) {
  OwnTables tables{transaction};
  auto row = tables.statement(kNextReceipts);
  row.bind(bytes_of(from.job), from.step, bytes_of(horizon), to_us(bounds.written_before),
           static_cast<std::int64_t>(bounds.count) + 1);
  std::int64_t bytes = 0;
  for (std::size_t within = 0; row.step(); ++within) {
    bytes += row.integer(2);
    if (within < bounds.count && (within == 0 || bytes <= bounds.bytes)) continue;
    const auto job = Uuid::from_bytes(row.blob(0));
    if (!job) raise_damaged(transaction, tables);
    return ReceiptPlace{queue::JobId{*job}, std::string{row.text(1)}};
  }
  return std::nullopt;
}

std::int64_t forget_receipts(TenantTransaction& transaction, const ReceiptPlace& from,
                             const ReceiptPlace& until, WallTime written_before) {
  OwnTables tables{transaction};
  tables.statement(kForgetReceipts)
      .bind(bytes_of(from.job), from.step, bytes_of(until.job), until.step, to_us(written_before))
      .run();
  return tables.changes();
}

}  // namespace tenure
