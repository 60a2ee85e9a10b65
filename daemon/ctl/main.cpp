#include "ctl/command_line.hpp"
#include "ctl/terminal.hpp"

int main(int argc, char** argv) {
    const vigil::ctl::Terminal terminal;
    return vigil::ctl::run(argc, argv, terminal);
}
