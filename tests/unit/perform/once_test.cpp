#include "bookkeeping.hpp"

#include <tenure/base/limits.hpp>

#include <stdexcept>

namespace tenure::testing {
namespace {

class Once : public Bookkeeping {
 protected:
  // Runs `body` as one attempt of one job of acme; each call is a later claim of the same job unless a token is given.
  std::optional<queue::AttemptFailure> attempt(std::function<void(JobContext&)> body,
                                               std::optional<queue::ClaimToken> token = {}) {
    body_ = std::move(body);
    if (!job_) {
      jobs_.add<PayInvoice>([this](const PayInvoice&, JobContext& context) { body_(context); });
      with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
      job_ = claim();
    }
    queue::ClaimedJob job = *job_;
    job.token = token ? *token : queue::ClaimToken{job_->token.incarnation, ++counter_};
    return perform(job);
  }

  static void pay(JobTransaction& transaction) {
    transaction.execute("update invoice set paid = paid + 1 where id = 1");
  }

  std::function<void(JobContext&)> body_;
  std::optional<queue::ClaimedJob> job_;
};

TEST_F(Once, RUN_04_ARerunSkipsWhatIsDoneAndGoesOnWithTheRest) {
  const auto first = attempt([&](JobContext& context) {
    context.once("pay", pay);
    throw std::runtime_error("crashed after the step");
  });
  EXPECT_TRUE(first.has_value());
  EXPECT_EQ(attempt([&](JobContext& context) {
              context.once("pay", pay);
              context.once("pay again", pay);
            }),
            std::nullopt);
  EXPECT_EQ(paid("acme"), 2);
}

TEST_F(Once, AStepMakesTheIdOfARecordThatItWrites) {
  std::string text;
  EXPECT_EQ(attempt([&](JobContext& context) {
              text = context.once("insert", [](JobTransaction& transaction) {
                transaction.execute("insert into invoice (id, paid) values (7, 0)");
                return transaction.ref<Invoice>(transaction.last_insert_row()).text();
              });
            }),
            std::nullopt);
  EXPECT_EQ(text, "gid://books/Invoice/7?tenant=acme");
}

TEST_F(Once, RUN_20_AManualRetryKeepsTheReceiptsAndACopyHasNone) {
  bool fails = true;
  static_cast<void>(attempt([&](JobContext& context) {
    context.once("pay", pay);
    if (fails) throw std::runtime_error("no");
    context.once("pay again", pay);
  }));
  ASSERT_EQ(paid("acme"), 1);
  fails = false;
  const queue::JobId id = job_->id;
  store_->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish({job_->seq, job_->token}, queue::JobState::dead, queue::JobReason::by_rule,
                                 {}, clock_.wall()));
    value_or_raise(writer.retry_by_operator(id, clock_.wall()));
  });
  const queue::ClaimedJob again = claim();
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(perform(again), std::nullopt);
  EXPECT_EQ(paid("acme"), 2) << "the step that was done is skipped";
  const queue::JobId copy{uuids_of_process().next(clock_.wall())};
  store_->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.finish_succeeded({again.seq, again.token}, clock_.wall()));
    static_cast<void>(value_or_raise(writer.copy_by_operator(id, copy, clock_.wall())));
  });
  const queue::ClaimedJob copied = claim();
  EXPECT_EQ(copied.id, copy);
  EXPECT_EQ(perform(copied), std::nullopt);
  EXPECT_EQ(paid("acme"), 4) << "every step again";
}

TEST_F(Once, RUN_03_AnExceptionInsideRollsBackEffectAndReceipt) {
  static_cast<void>(attempt([&](JobContext& context) {
    context.once("pay", [](JobTransaction& transaction) {
      pay(transaction);
      throw std::runtime_error("no");
    });
  }));
  EXPECT_EQ(paid("acme"), 0);
  EXPECT_EQ(attempt([&](JobContext& context) { context.once("pay", pay); }), std::nullopt);
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(Once, RUN_23_TheStoredResultComesBack) {
  std::string first;
  std::string second;
  const auto body = [](JobTransaction&) { return std::string{"receipt\0 7", 10}; };
  static_cast<void>(attempt([&](JobContext& context) { first = context.once("ask", body); }));
  static_cast<void>(attempt([&](JobContext& context) {
    second =
        context.once("ask", [](JobTransaction&) -> std::string { throw std::runtime_error("asked twice"); });
  }));
  EXPECT_EQ(first, std::string("receipt\0 7", 10));
  EXPECT_EQ(second, first);
}

TEST_F(Once, AStepReturnsNothingOrTextInAnyForm) {
  std::vector<std::string> returned;
  const std::string text = "kept";
  static_cast<void>(attempt([&](JobContext& context) {
    returned.push_back(context.once("nothing", [](JobTransaction&) {}));
    returned.push_back(context.once("text", [&](JobTransaction&) { return text; }));
    returned.push_back(
        context.once("reference", [&](JobTransaction&) -> const std::string& { return text; }));
    returned.push_back(context.once("view", [&](JobTransaction&) { return std::string_view{text}; }));
    returned.push_back(context.once("literal", [](JobTransaction&) { return "65"; }));
  }));
  EXPECT_EQ(returned, (std::vector<std::string>{"", "kept", "kept", "kept", "65"}));
}

TEST_F(Once, RUN_23_AResultAboveTheLimitIsRefusedAndNothingCommitted) {
  for (const std::size_t size : {limits::kReceiptResultMax, limits::kReceiptResultMax + 1}) {
    const auto outcome = attempt([&](JobContext& context) {
      context.once("pay " + std::to_string(size), [&](JobTransaction& transaction) {
        pay(transaction);
        return std::string(size, 'x');
      });
    });
    EXPECT_EQ(outcome.has_value(), size > limits::kReceiptResultMax);
  }
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(Once, RUN_19_TheSameStepTwiceInOneRunIsRefused) {
  const auto outcome = attempt([&](JobContext& context) {
    context.once("pay", pay);
    context.once("pay", pay);
  });
  EXPECT_EQ(outcome->code, ErrorCode::duplicate_step);
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(Once, RUN_02_AStaleRunMeetsItsSuccessorsReceipt) {
  const queue::ClaimToken stale{queue::Incarnation{1}, 5};
  const queue::ClaimToken successor{queue::Incarnation{2}, 1};
  EXPECT_EQ(attempt([&](JobContext& context) { context.once("first", pay); }, successor), std::nullopt);
  const auto outcome = attempt([&](JobContext& context) { context.once("second", pay); }, stale);
  EXPECT_EQ(outcome->code, ErrorCode::claim_lost);
  EXPECT_EQ(paid("acme"), 1);
}

TEST_F(Once, StepNamesHaveLimits) {
  for (const std::size_t size : {0UL, 1UL, limits::kStepNameMax, limits::kStepNameMax + 1}) {
    const auto outcome = attempt([&](JobContext& context) { context.once(std::string(size, 's'), pay); });
    const bool allowed = size >= 1 && size <= limits::kStepNameMax;
    EXPECT_EQ(outcome == std::nullopt, allowed) << size;
    if (!allowed) {
      EXPECT_EQ(outcome->code, ErrorCode::bad_options);
    }
  }
}

TEST_F(Once, RUN_24_APlainWriteRepeatsOnARerun) {
  for (int run = 0; run < 2; ++run)
    EXPECT_EQ(attempt([&](JobContext& context) {
                context.write([](TenantTransaction& transaction) {
                  transaction.execute("update invoice set paid = paid + 1 where id = 1");
                });
              }),
              std::nullopt);
  EXPECT_EQ(paid("acme"), 2);
}

// `insert or rollback` ends the transaction under the handler; a receipt written after it would stand without its effect.
TEST_F(Once, RUN_03_AStepWhoseTransactionWasRolledBackLeavesNoReceipt) {
  const auto body = [](JobTransaction& transaction) {
    pay(transaction);
    try {
      transaction.execute("insert or rollback into invoice (id, paid) values (1, 0)");
    } catch (const Error&) {  // a handler that goes on regardless
    }
  };
  const auto outcome = attempt([&](JobContext& context) { context.once("pay", body); });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(permanence_of(outcome->code), Permanence::transient) << outcome->error;
  EXPECT_EQ(paid("acme"), 0);
  EXPECT_EQ(attempt([&](JobContext& context) { context.once("pay", pay); }), std::nullopt);
  EXPECT_EQ(paid("acme"), 1) << "the step was not taken for done";
}

TEST_F(Once, SEC_03_TheOutboxNumbersAreOutOfReachOfJobSql) {
  const auto outcome = attempt([&](JobContext& context) {
    context.once("reset",
                 [](JobTransaction& transaction) { transaction.execute("delete from sqlite_sequence"); });
  });
  EXPECT_EQ(outcome->code, ErrorCode::access_refused);
}

TEST_F(Once, GID_01_AnIdWithoutTenantCannotBeBound) {
  const auto cut = value_or_raise(Ref<Invoice>::parse("gid://books/Invoice/1"));
  const auto outcome = attempt([&](JobContext& context) {
    context.once("bind", [&](JobTransaction& transaction) {
      transaction.execute("update invoice set paid = 9 where id = ?", cut);
    });
  });
  EXPECT_EQ(outcome->code, ErrorCode::missing_tenant);
  EXPECT_EQ(paid("acme"), 0);
}

// A handler's own SQL must not be able to forge or erase the marks.
TEST_F(Once, SEC_03_ReceiptsAreOutOfReachOfJobSql) {
  const auto outcome = attempt([&](JobContext& context) {
    context.once("pay",
                 [](JobTransaction& transaction) { transaction.execute("delete from tenure_receipts"); });
  });
  EXPECT_EQ(outcome->code, ErrorCode::access_refused);
}

}  // namespace
}  // namespace tenure::testing
