// Job types that say something in a form that nobody reads, and steps of `once` whose result is no text. None may compile.
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/jobs/registry.hpp>

#include <chrono>
#include <list>
#include <vector>

namespace {

struct Plain {
  static constexpr std::string_view kind = "plain";
  template <class Archive>
  void serialize(Archive&) {}
};

struct OptionsOfAnObject : Plain {
  [[nodiscard]] tenure::JobOptions options() const { return {.priority = 1}; }
};
struct OptionsAsConstant : Plain {
  static constexpr int options = 1;
};
struct OptionsForgotStatic : Plain {
  tenure::JobOptions options{.priority = 1};
};
struct OptionsOfAnEnqueue : Plain {
  static tenure::EnqueueOptions options() { return {}; }
};
class OptionsInPrivate : public Plain {
  static tenure::JobOptions options() { return {}; }
};

struct AliasesForgotStatic : Plain {
  std::array<std::string_view, 1> aliases{"former"};
};
struct AliasesAsFunction : Plain {
  static std::array<std::string_view, 1> aliases() { return {"former"}; }
};
struct AliasesAsText : Plain {
  static constexpr std::string_view aliases = "former";
};
struct OneAlias : Plain {
  static constexpr std::array<std::string_view, 1> alias{"former"};
};
struct OptionsAsMembers : Plain {
  static constexpr int priority = 7;
};
struct TimeLimitAsMember : Plain {
  static constexpr std::chrono::seconds time_limit{20};
};
struct KindForgotStatic {
  std::string kind = "plain";
};

struct WithoutKind {};

struct Record {};
struct NoModel {};
struct BadReference {};
struct WrongLoad {};

}  // namespace

template <>
struct tenure::Model<Record> {
  static constexpr std::string_view name = "Record";
  static bool shared() { return false; }
};
template <>
struct tenure::Model<WrongLoad> {
  static constexpr std::string_view name = "WrongLoad";
  static WrongLoad load(tenure::TenantReader&, std::string_view) { return {}; }
};
template <>
struct tenure::PayloadReference<BadReference> {
  static std::string text(BadReference&) { return {}; }
};

void make_all() {
  using tenure::options_of;
  static_cast<void>(options_of<OptionsOfAnObject>());
  static_cast<void>(options_of<OptionsAsConstant>());
  static_cast<void>(options_of<OptionsForgotStatic>());
  static_cast<void>(options_of<OptionsOfAnEnqueue>());
  static_cast<void>(options_of<OptionsInPrivate>());
  static_cast<void>(options_of<AliasesForgotStatic>());
  static_cast<void>(options_of<AliasesAsFunction>());
  static_cast<void>(options_of<AliasesAsText>());
  static_cast<void>(options_of<OneAlias>());
  static_cast<void>(options_of<OptionsAsMembers>());
  static_cast<void>(options_of<TimeLimitAsMember>());
  static_cast<void>(options_of<KindForgotStatic>());
}

void perform_all(tenure::JobContext& context, tenure::TenantReader& reader, tenure::PayloadContext& payload) {
  context.once("count", [](tenure::JobTransaction&) { return 65; });
  context.once("flag", [](tenure::JobTransaction&) { return true; });
  context.once("letter", [](tenure::JobTransaction&) { return 'A'; });
  context.once("maybe", [](tenure::JobTransaction&) { return std::optional<std::string>{}; });
  static_cast<void>(reader.ref<Record>('A'));
  static_cast<void>(tenure::encode_arguments(BadReference{}, payload));
  context.once("wrong", [](int) { return "text"; });
  static_cast<void>(reader.query("select ?1", WithoutKind{}));
  static_cast<void>(tenure::Ref<NoModel>::parse("gid://app/NoModel/1"));
}

void call_wrongly(tenure::JobContext& context, const tenure::Ref<WrongLoad>& ref) {
  context.write([](tenure::JobTransaction&) {});
  context.read([](tenure::TenantTransaction&) {});
  static_cast<void>(context.locate(ref));
}

void enqueue_wrongly(tenure::Client& client) {
  client.enqueue_all(std::vector<WithoutKind>{});
  client.enqueue_all(std::list<Plain>{});
}

void without_kind(tenure::Client& client, tenure::JobRegistry& jobs) {
  client.enqueue(WithoutKind{});
  jobs.add<WithoutKind>([](const WithoutKind&, tenure::JobContext&) {});
}
