// How a template reads a field: by protobuf's reflection, or, for the fields of messages, which
// every broadcast is made of, by their generated accessors (five times as fast).
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace confab::edge {

// `field` is the one the reader was found for; `message` is of its type.
using TextReader = const std::string& (*)(const google::protobuf::Message& message,
                                          const google::protobuf::FieldDescriptor* field);
using IntegerReader = int64_t (*)(const google::protobuf::Message& message,
                                  const google::protobuf::FieldDescriptor* field);
using MessageReader =
    const google::protobuf::Message& (*)(const google::protobuf::Message& message,
                                         const google::protobuf::FieldDescriptor* field);

// True: a text that holds one JSON value, which is read and written as it is.
bool HoldsJson(const google::protobuf::FieldDescriptor& field);

// Never nullptr. REQUIRES: the field is a text, a whole number, a message.
TextReader FindTextReader(const google::protobuf::FieldDescriptor* field);
IntegerReader FindIntegerReader(const google::protobuf::FieldDescriptor* field);
MessageReader FindMessageReader(const google::protobuf::FieldDescriptor* field);

// The words of an enum by number: a reason's as clients know it ("NOT_A_MEMBER"), any other in
// lower case without the enum's name ("owner"), and nothing for the unset value.
std::vector<std::string> EnumWords(const google::protobuf::EnumDescriptor& type);

}  // namespace confab::edge
