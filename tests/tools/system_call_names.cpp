#include "system_call_names.hpp"

namespace vigil::tools {
namespace {

struct SystemCall {
    unsigned long number;
    const char* name;
};
constexpr SystemCall kSystemCalls[] = {
#include "system_calls.inc"
};

}  // namespace

std::string system_call_name(unsigned long number) {
    for (const SystemCall& call : kSystemCalls)
        if (call.number == number) return call.name;
    return "call " + std::to_string(number);
}

}  // namespace vigil::tools
