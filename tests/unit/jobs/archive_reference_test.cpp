#include "payload_contexts.hpp"

namespace tenure {
namespace {

// Like the id of a record: cannot be made from nothing but its text.
template <class Model>
class Reference {
 public:
  Reference() = default;
  static Reference of(std::string text) {
    Reference made;
    made.text_ = std::move(text);
    return made;
  }
  const std::string& text() const { return text_; }
  friend auto operator<=>(const Reference&, const Reference&) = default;

 private:
  std::string text_;
};

struct Invoice {};
using InvoiceRef = Reference<Invoice>;

}  // namespace

template <class Model>
struct PayloadReference<Reference<Model>> {
  static std::string text(const Reference<Model>& reference) { return reference.text(); }
  static Result<Reference<Model>> from_text(std::string_view text) {
    if (!text.starts_with("gid://shop/Invoice/"))
      return fail(ErrorCode::bad_global_id, "the id is none of an Invoice");
    return Reference<Model>::of(std::string(text));
  }
};

namespace {

struct SendInvoice {
  InvoiceRef invoice;
  std::map<std::string, std::vector<std::optional<InvoiceRef>>> more;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice), CEREAL_NVP(more));
  }
};

const InvoiceRef kOwn = InvoiceRef::of("gid://shop/Invoice/42?tenant=acme");
const InvoiceRef kForeign = InvoiceRef::of("gid://shop/Invoice/42?tenant=globex");

TEST(ArchiveReference, GID_13_IsAnObjectThatToolsWithoutTypesFind) {
  const SendInvoice job{kOwn, {{"x", {kOwn, {}}}}};
  const std::string text = encoded(job);
  EXPECT_EQ(text, R"({"invoice":{"$gid":"gid://shop/Invoice/42?tenant=acme"},)"
                  R"("more":{"x":[{"$gid":"gid://shop/Invoice/42?tenant=acme"},null]}})");
  const auto read = decoded<SendInvoice>(text);
  EXPECT_EQ(read.invoice, kOwn);
  EXPECT_EQ(read.more, job.more);
}

TEST(ArchiveReference, GID_02_OfAnotherTenantIsRefusedWhenWritingAtAnyDepthNamingTheField) {
  EXPECT_EQ(refused_value(SendInvoice{kForeign, {}}), "WrongTenant at $.invoice");
  EXPECT_EQ(refused_value(SendInvoice{kOwn, {{"x", {kOwn, kForeign}}}}), "WrongTenant at $.more.x[1]");
  EXPECT_EQ(refused_value(std::map<InvoiceRef, int>{{kForeign, 1}}), "WrongTenant at $[0][0]");
}

TEST(ArchiveReference, GID_03_OfAnotherTenantIsRefusedWhenReadingAtAnyDepthNamingTheField) {
  EXPECT_EQ(refused_text<SendInvoice>(R"({"invoice":{"$gid":"gid://shop/Invoice/1?tenant=b"},"more":{}})"),
            "WrongTenant at $.invoice");
  EXPECT_EQ(refused_text<SendInvoice>(R"({"invoice":{"$gid":"gid://shop/Invoice/1?tenant=acme"},)"
                                      R"("more":{"k":[null,{"$gid":"gid://shop/Invoice/1?tenant=b"}]}})"),
            "WrongTenant at $.more.k[1]");
}

TEST(ArchiveReference, IsCheckedBeforeAnythingIsMadeOfItsText) {
  // Both wrong: the tenant is what is said.
  EXPECT_EQ(refused_text<InvoiceRef>(R"({"$gid":"gid://shop/Customer/1?tenant=b"})"), "WrongTenant at $");
  EXPECT_EQ(refused_text<InvoiceRef>(R"({"$gid":"gid://shop/Customer/1?tenant=acme"})"), "BadGlobalId at $");
}

TEST(ArchiveReference, KeepsTheFailureOfTheContext) {
  AcmeOnly context;
  try {
    (void)encode_arguments(SendInvoice{kForeign, {}}, context);
    FAIL();
  } catch (const WrongTenant& error) {
    EXPECT_EQ(error.failure(), (Failure{ErrorCode::wrong_tenant, "the id belongs to another tenant than acme",
                                        "acme", "$.invoice"}));
  }
  EXPECT_EQ(context.seen, std::vector<std::string>{kForeign.text()});
}

TEST(ArchiveReference, GID_13_NothingElseDecodesInItsPlace) {
  for (const char* text : {R"("gid://shop/Invoice/1?tenant=acme")", "42", "null", "[]", "{}",
                           R"({"gid":"gid://shop/Invoice/1?tenant=acme"})", R"({"$gid":42})",
                           R"({"$gid":null})", R"({"$gid":"gid://shop/Invoice/1?tenant=acme","x":1})"})
    EXPECT_TRUE(refused_text<InvoiceRef>(text).starts_with("WrongType at $")) << text;
  EXPECT_EQ(refused_text<InvoiceRef>(R"({"$gid":"gid://shop/Invoice/1?tenant=acme","$gid":"x"})"),
            "DuplicateKey at $.$gid");
}

TEST(ArchiveReference, GID_13_DecodesInNoOtherPlace) {
  const char* const reference = R"({"$gid":"gid://shop/Invoice/1?tenant=b"})";
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(refused_text<Map>(reference), "WrongType at $");
  EXPECT_EQ(refused_text<SendInvoice>(reference), "WrongType at $");
  EXPECT_EQ(refused_value(Map{{"$gid", "gid://shop/Invoice/1?tenant=b"}}), "WrongType at $");
}

TEST(ArchiveReference, InAFieldThatTheTypeLacksIsSkipped) {
  AcmeOnly context;
  std::size_t unknown = 0;
  (void)decode_arguments<SendInvoice>(
      R"({"invoice":{"$gid":"gid://shop/Invoice/1?tenant=acme"},"more":{},"new":{"$gid":"gid://shop/X/1?tenant=b"}})",
      context, {}, &unknown);
  EXPECT_EQ(unknown, 1U);
  EXPECT_EQ(context.seen.size(), 1U);
}

}  // namespace
}  // namespace tenure
