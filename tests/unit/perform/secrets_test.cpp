#include "bookkeeping.hpp"

#include <tenure/base/log.hpp>

#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <gmock/gmock.h>

#include <exception>
#include <map>
#include <stdexcept>
#include <vector>

// What errors and progress of a run may quote of its arguments.
namespace tenure::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kAddress = "ap@acme.example";
constexpr std::string_view kToken = "tok-0123456789abcdef0123456789abcdef";

struct Mailed {
  std::string recipient;
  std::map<std::string, std::string> credentials;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(recipient), CEREAL_NVP(credentials));
  }
};

struct Mail {
  static constexpr std::string_view kind = "books.mail";
  static JobOptions options() { return {.attempts_max = 1}; }
  std::vector<Mailed> mails;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(mails));
  }
};

struct SecretInvoice {
  static constexpr std::string_view kind = "books.secret_invoice";
  Ref<Invoice> invoice_token;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice_token));
  }
};

class SecretsOfRuns : public Bookkeeping {
 protected:
  SecretsOfRuns() {
    with_tenant("acme", [&] {
      client_.enqueue(Mail{{{std::string(kAddress), {{"api_token", std::string(kToken)}}}}});
    });
  }
  std::string error_of(const std::function<void(const Mail&, JobContext&)>& handler) {
    jobs_.add<Mail>(handler);
    const auto outcome = perform_by(masking_, claim(), {});
    return outcome ? outcome->error : "";
  }
  Performer masking_{jobs_, handles_, clock_, {.application = "books", .mask = queue::Mask({"recipient"})}};
};

TEST_F(SecretsOfRuns, AnExceptionOfAHandlerIsToldWithoutThem) {
  const std::string error = error_of([](const Mail& job, JobContext&) {
    try {
      throw std::runtime_error("550 " + job.mails[0].recipient + " unknown");
    } catch (...) {
      std::throw_with_nested(
          std::runtime_error("cannot log in by " + job.mails[0].credentials.at("api_token")));
    }
  });
  EXPECT_THAT(error, AllOf(HasSubstr("cannot log in by ••••"), HasSubstr("550 •••• unknown")));
}

TEST_F(SecretsOfRuns, AnErrorOfTenuresOwnIsToldWithoutThem) {
  const std::string error = error_of([](const Mail& job, JobContext& context) {
    context.once("mail " + job.mails[0].recipient, [](JobTransaction&) {});
    context.once("mail " + job.mails[0].recipient, [](JobTransaction&) {});
  });
  EXPECT_EQ(error, "step \"mail ••••\" was done in this run already; name the item in it");
}

TEST_F(SecretsOfRuns, TheBeginningOfOneIsHiddenToo) {
  const std::string error = error_of([](const Mail&, JobContext&) {
    throw std::runtime_error("token " + std::string(kToken.substr(0, 20)) + "...");
  });
  EXPECT_THAT(error, HasSubstr("token ••••..."));
}

TEST_F(SecretsOfRuns, ProgressIsToldWithoutThemAlsoWhereItIsCut) {
  jobs_.add<Mail>([](const Mail& job, JobContext& context) {
    const std::string before(queue::kProgressTextMax - 4, '.');
    context.progress(1, 2, before + job.mails[0].credentials.at("api_token"));
  });
  const queue::ClaimedJob job = claim();
  queue::RunNotes notes{{job.seq, job.token}};
  EXPECT_EQ(perform_by(masking_, job, {}, {}, notes), std::nullopt);
  const auto news = notes.take();
  ASSERT_TRUE(news && news->progress);
  EXPECT_THAT(news->progress->text, Not(HasSubstr("tok")));
}

TEST_F(SecretsOfRuns, WhatCannotBeDecodedIsNotQuoted) {
  jobs_.add<SecretInvoice>([](const SecretInvoice&, JobContext&) { FAIL() << "entered"; });
  static_cast<void>(claim());
  with_tenant("acme", [&] { client_.enqueue(SecretInvoice{invoice_of("acme")}); });
  queue::ClaimedJob job = claim();
  const std::string from = "Invoice/1?tenant=acme";
  job.envelope.replace(job.envelope.find(from), from.size(), "Invoice/1?tenant=bolt");
  const auto outcome = perform_by(masking_, job, {});
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->code, ErrorCode::wrong_tenant);
  EXPECT_EQ(outcome->error, "what is wrong with a masked value is not told (at $.invoice_token)");
}

TEST_F(SecretsOfRuns, AnEnqueueThatIsRefusedQuotesNone) {
  const SecretInvoice foreign{invoice_of("acme")};
  std::string error;
  try {
    with_tenant("bolt", [&] { client_.enqueue(foreign); });
  } catch (const WrongTenant& refused) {
    error = refused.what();
  }
  EXPECT_EQ(error, "WrongTenant: what is wrong with a masked value is not told (at $.invoice_token)");
}

}  // namespace
}  // namespace tenure::testing
