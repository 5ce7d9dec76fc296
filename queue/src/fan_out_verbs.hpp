#pragma once

#include "batch_verbs.hpp"
#include "fan_out_rows.hpp"

#include <string>

// What is done with fan-outs, the same in every store. Internal.
namespace tenure::queue {

class FanOutQuestions final : public FanOutReader {
 public:
  FanOutQuestions(FanOutRows& rows, BatchRows& batch_rows, BatchReader& batches)
      : rows_(rows), batch_rows_(batch_rows), batches_(batches) {}
  std::vector<FanOutRecord> fan_outs(const std::optional<BatchNumber>& before, std::size_t limit) override;
  std::optional<FanOutRecord> fan_out(BatchId id) override;
  std::vector<SkippedTenant> skipped(BatchId id, TenantNumber after, std::size_t limit) override;
  std::vector<FanOutJob> jobs(BatchId id, FanOutJobs which, JobSeq after, std::size_t limit) override;
  FanOutCensus fan_out_census() override;
  std::vector<MiscountedFanOut> miscounted_fan_outs(std::size_t limit) override;

 private:
  [[nodiscard]] std::optional<FanOutRow> row_of(BatchId id);
  [[nodiscard]] std::optional<FanOutRecord> record_of(BatchNumber number);

  FanOutRows& rows_;
  BatchRows& batch_rows_;
  BatchReader& batches_;
};

class FanOutVerbs final : public FanOutWriter {
 public:
  FanOutVerbs(WritableFanOutRows& rows, WritableBatchRows& batch_rows, BatchVerbs& batches)
      : rows_(rows), batch_rows_(batch_rows), batches_(batches) {}
  Result<StartedFanOut> start(const NewFanOut& fan_out, WallTime now) override;
  Result<void> cancel(BatchId id, WallTime now) override;
  std::optional<OpenFanOuts> open(FanOutsMark known) override;
  VisitReply carry_on(const VisitOrder& order, WallTime now) override;

 private:
  // One page of visits.
  struct Visiting {
    const BatchRow& batch;
    FanOutRow& row;
    const std::string& arguments;
    VisitReply& reply;
  };
  // That is unfinished under that key.
  [[nodiscard]] std::optional<BatchId> unfinished(std::string_view key);
  Result<std::string> add(const NewFanOut& fan_out, BatchNumber number);
  [[nodiscard]] Result<std::string> arguments_of(const FanOutRow& row);
  void visit(const VisitOrder& order, const BatchRow& batch, FanOutRow& row, WallTime now, VisitReply& reply);
  void visit_tenant(const Visiting& visiting, const VisitedTenant& tenant, WallTime now);
  [[nodiscard]] std::optional<FanOutSkip> skip_of(const Visiting& visiting, const TenantRecord& tenant);
  void make_job(const Visiting& visiting, const TenantRecord& tenant, WallTime now);
  void skip(const Visiting& visiting, TenantNumber tenant, FanOutSkip why, WallTime now);
  void end_visits(const BatchRow& batch, FanOutRow& row, WallTime now);
  void stop(const BatchRow& batch, FanOutRow& row, std::string why, WallTime now);
  void cancel_page(const VisitOrder& order, FanOutRow& row, WallTime now);

  WritableFanOutRows& rows_;
  WritableBatchRows& batch_rows_;
  BatchVerbs& batches_;
};

}  // namespace tenure::queue
