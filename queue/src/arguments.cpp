#include <tenure/base/text.hpp>
#include <tenure/queue/arguments.hpp>
#include <tenure/tenancy/global_id.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace tenure {

Result<void> TenantPayloadContext::check(std::string_view gid) {
  const auto id = GlobalId::parse(gid);
  if (!id) return tl::unexpected(id.error());
  if (id->application() != application_)
    return fail(ErrorCode::bad_global_id, "the id " + escaped(gid) + " is of application " +
                                              id->application() + ", this is " + application_);
  if (!id->tenant()) return {};  // a shared record; Ref has refused all others
  if (!tenant_)
    return fail(ErrorCode::no_tenant, "the id " + escaped(gid) + " belongs to a tenant, the job to none");
  if (*id->tenant() != *tenant_)
    return fail(
        ErrorCode::wrong_tenant,
        "the id " + escaped(gid) + " belongs to " + id->tenant()->text() + ", the job to " + tenant_->text(),
        tenant_->text());
  return {};
}

void detail::refuse(std::string_view reason, std::string_view sentence, std::string path) {
  std::string message{reason};
  message += ": ";
  message += sentence;
  raise(ErrorCode::bad_payload, std::move(message), {}, std::move(path));
}

}  // namespace tenure

namespace tenure::queue {
namespace {

using detail::kReferenceKey;
using detail::refuse;
using Member = std::pair<std::string_view, json::Value>;

json::Document parsed_arguments(std::string_view text, const PayloadLimits& limits) {
  const std::size_t bytes_max = std::min(limits.bytes_max, limits::kPayloadMax);
  if (text.size() > bytes_max)
    raise(ErrorCode::payload_too_large,
          "the arguments have " + std::to_string(text.size()) + " bytes, more than the " +
              std::to_string(bytes_max) + " that are allowed",
          {}, "$");
  return value_or_raise(json::Document::parse(text, {.bytes_max = bytes_max, .depth_max = limits.depth_max}));
}

void refuse_duplicate_keys(std::vector<std::string_view>& keys, const json::Value& object) {
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end())
    refuse("DuplicateKey", "the key stands there twice", object.path() + json::path_step(*twice));
}

// Walks as deep as the parser let the text be.
class ArgumentsCheck {
 public:
  explicit ArgumentsCheck(const PayloadLimits& limits) : limits_(limits) {}

  void check(const json::Value& value) {
    if (value.type() == json::Type::string) check_string(*value.string(), value);
    const auto count = [&](const json::Value& element) {
      if (++elements_ > limits_.elements_max)
        refuse("TooManyElements",
               "the arguments have more than the " + std::to_string(limits_.elements_max) +
                   " elements that are allowed",
               element.path());
      check(element);
      return true;
    };
    std::vector<std::string_view> keys;
    value.each_element(count);
    value.each_member([&](std::string_view key, const json::Value& member) {
      check_string(key, value);
      keys.push_back(key);
      return count(member);
    });
    refuse_duplicate_keys(keys, value);
  }

 private:
  void check_string(std::string_view text, const json::Value& at) const {
    if (text.size() > limits_.string_max)
      refuse("StringTooLong", "the string has more than " + std::to_string(limits_.string_max) + " bytes",
             at.path());
  }

  const PayloadLimits& limits_;
  std::size_t elements_ = 0;
};

class CanonicalWriter {
 public:
  CanonicalWriter(std::string& out, PayloadContext& context) : writer_(out), context_(context) {}

  void write(const json::Value& value) {
    if (value.type() == json::Type::object) return write_object(value);
    if (value.type() != json::Type::array) return value.write_scalar(writer_);
    writer_.begin_array();
    value.each_element([&](const json::Value& element) {
      write(element);
      return true;
    });
    writer_.end_array();
  }

 private:
  void write_object(const json::Value& object) {
    std::vector<Member> members;
    object.each_member([&](std::string_view key, const json::Value& member) {
      members.emplace_back(key, member);
      return true;
    });
    if (const auto gid = object.member(kReferenceKey)) check_reference(*gid, object);
    std::ranges::sort(members, {}, &Member::first);
    writer_.begin_object();
    for (const auto& [key, member] : members) {
      writer_.key(key);
      write(member);
    }
    writer_.end_object();
  }

  void check_reference(const json::Value& gid, const json::Value& object) {
    if (object.size() != 1)
      refuse("WrongType", "the key $gid is kept for references to records, which have no other key",
             object.path());
    auto checked = context_.check(value_or_raise(gid.string()));
    if (checked) return;
    checked.error().where = object.path();
    raise(std::move(checked.error()));
  }

  json::Writer writer_;
  PayloadContext& context_;
};

}  // namespace

json::Document checked_arguments(std::string_view text, const PayloadLimits& limits) {
  json::Document document = parsed_arguments(text, limits);
  ArgumentsCheck{limits}.check(document.root());
  return document;
}

std::string canonical_arguments(std::string_view text, PayloadContext& context, const PayloadLimits& limits) {
  return canonical_arguments(parsed_arguments(text, limits).root(), context, limits);
}

std::string canonical_arguments(const json::Value& value, PayloadContext& context,
                                const PayloadLimits& limits) {
  ArgumentsCheck{limits}.check(value);
  if (value.type() != json::Type::object || value.member(kReferenceKey))
    refuse("WrongType", "the arguments of a job are an object, {\"name\": value, ...}", value.path());
  std::string canonical;
  CanonicalWriter{canonical, context}.write(value);
  return canonical;
}

}  // namespace tenure::queue
