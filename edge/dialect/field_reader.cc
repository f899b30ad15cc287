#include "edge/dialect/field_reader.h"

#include <string_view>

#include <absl/strings/ascii.h>

#include "confab/v1/types.pb.h"

#include "proto/reason.h"

namespace confab::edge {

namespace {

namespace pb = google::protobuf;

template <typename M, const std::string& (M::*kGet)() const>
const std::string& ReadText(const pb::Message& message, const pb::FieldDescriptor*) {
  return (static_cast<const M&>(message).*kGet)();
}

template <typename M, typename Inner, const Inner& (M::*kGet)() const>
const pb::Message& ReadMessage(const pb::Message& message, const pb::FieldDescriptor*) {
  return (static_cast<const M&>(message).*kGet)();
}

int64_t ReadSeq(const pb::Message& message, const pb::FieldDescriptor*) {
  return static_cast<const v1::Event&>(message).seq();
}

int64_t ReadEditedSeq(const pb::Message& message, const pb::FieldDescriptor*) {
  return static_cast<const v1::MessagePosted&>(message).edited_seq();
}

const std::string& ReflectText(const pb::Message& message, const pb::FieldDescriptor* field) {
  // Generated messages have their texts in memory and leave the scratch alone.
  static const std::string none;
  std::string scratch;
  const std::string& text = message.GetReflection()->GetStringReference(message, field, &scratch);
  return &text == &scratch ? none : text;
}

int64_t ReflectInteger(const pb::Message& message, const pb::FieldDescriptor* field) {
  const pb::Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, field);
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, field);
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<int64_t>(reflection.GetUInt64(message, field));
    default:
      return reflection.GetInt64(message, field);
  }
}

const pb::Message& ReflectMessage(const pb::Message& message, const pb::FieldDescriptor* field) {
  return message.GetReflection()->GetMessage(message, field);
}

template <typename Reader>
struct Known {
  const pb::Descriptor* type;
  int number;
  Reader reader;
};

template <typename Reader, size_t kCount>
Reader Find(const Known<Reader> (&known)[kCount], const pb::FieldDescriptor* field,
            Reader otherwise) {
  for (const Known<Reader>& one : known) {
    if (one.type == field->containing_type() && one.number == field->number()) return one.reader;
  }
  return otherwise;
}

}  // namespace

bool HoldsJson(const pb::FieldDescriptor& field) {
  constexpr std::string_view kEnd = "_json";
  const std::string_view name = field.name();
  return field.type() == pb::FieldDescriptor::TYPE_STRING && !field.is_repeated() &&
         name.size() > kEnd.size() && name.substr(name.size() - kEnd.size()) == kEnd;
}

TextReader FindTextReader(const pb::FieldDescriptor* field) {
  using v1::Event;
  using v1::MessagePosted;
  using v1::User;
  const Known<TextReader> known[] = {
      {Event::descriptor(), Event::kRoomIdFieldNumber, ReadText<Event, &Event::room_id>},
      {User::descriptor(), User::kIdFieldNumber, ReadText<User, &User::id>},
      {User::descriptor(), User::kNameFieldNumber, ReadText<User, &User::name>},
      {MessagePosted::descriptor(), MessagePosted::kMessageIdFieldNumber,
       ReadText<MessagePosted, &MessagePosted::message_id>},
      {MessagePosted::descriptor(), MessagePosted::kClientMsgIdFieldNumber,
       ReadText<MessagePosted, &MessagePosted::client_msg_id>},
      {MessagePosted::descriptor(), MessagePosted::kTypeFieldNumber,
       ReadText<MessagePosted, &MessagePosted::type>},
      {MessagePosted::descriptor(), MessagePosted::kContentFieldNumber,
       ReadText<MessagePosted, &MessagePosted::content>},
      {MessagePosted::descriptor(), MessagePosted::kReplyToFieldNumber,
       ReadText<MessagePosted, &MessagePosted::reply_to>},
      {MessagePosted::descriptor(), MessagePosted::kBodyJsonFieldNumber,
       ReadText<MessagePosted, &MessagePosted::body_json>},
  };
  return Find(known, field, TextReader(ReflectText));
}

IntegerReader FindIntegerReader(const pb::FieldDescriptor* field) {
  const Known<IntegerReader> known[] = {
      {v1::Event::descriptor(), v1::Event::kSeqFieldNumber, ReadSeq},
      {v1::MessagePosted::descriptor(), v1::MessagePosted::kEditedSeqFieldNumber, ReadEditedSeq}};
  return Find(known, field, IntegerReader(ReflectInteger));
}

MessageReader FindMessageReader(const pb::FieldDescriptor* field) {
  using v1::Event;
  const Known<MessageReader> known[] = {
      {Event::descriptor(), Event::kActorFieldNumber, ReadMessage<Event, v1::User, &Event::actor>},
      {Event::descriptor(), Event::kCreatedAtFieldNumber,
       ReadMessage<Event, pb::Timestamp, &Event::created_at>},
      {Event::descriptor(), Event::kMessagePostedFieldNumber,
       ReadMessage<Event, v1::MessagePosted, &Event::message_posted>},
  };
  return Find(known, field, MessageReader(ReflectMessage));
}

std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type) {
  if (type.full_name() == v1::Reason_descriptor()->full_name()) {
    std::vector<std::string> words;
    for (int i = 0; i < v1::Reason_ARRAYSIZE; ++i) {
      words.emplace_back(TraitsOf(static_cast<v1::Reason>(i)).word);
    }
    return words;
  }
  std::vector<std::string> words(1);
  const std::string& unset = type.value(0)->name();
  const size_t prefix = unset.size() - std::string_view("UNSPECIFIED").size();
  for (int i = 1; i < type.value_count(); ++i) {
    const auto number = static_cast<size_t>(type.value(i)->number());
    if (words.size() <= number) words.resize(number + 1);
    words[number] = absl::AsciiStrToLower(type.value(i)->name().substr(prefix));
  }
  return words;
}

}  // namespace confab::edge
