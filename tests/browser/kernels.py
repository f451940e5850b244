"""Ask the kernel behind a page past the notebook's cells, and wait for what it or the page says."""

import time

KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
WAIT_S = 60


def run(page, code):
    """Run code and wait until it has ended."""
    page.evaluate(
        f"code => {KERNEL}.requestExecute({{ code }}).done.then(() => null)",
        code,
    )


def begin(page, code):
    """Begin code that does not end by itself, as a cell would; `ended` waits for its end."""
    page.evaluate(
        f"""code => new Promise(resolve => {{
            const future = {KERNEL}.requestExecute({{ code }});
            future.onIOPub = message => {{ if (message.header.msg_type === 'execute_input') resolve(null) }};
            window.underWay = future.done.then(reply => reply.content.status);
        }})""",
        code,
    )


def ended(page):
    """Wait until what was begun has ended: "ok", "error", or "waits" where it did not end."""
    late = f"new Promise(resolve => setTimeout(() => resolve('waits'), {WAIT_S * 1000}))"
    said = page.evaluate(f"() => Promise.race([window.underWay, {late}])")
    if said == "waits":
        interrupt(page)
    return said


def interrupt(page):
    """Press the ■ button."""
    page.evaluate(f"() => {KERNEL}.interrupt()")


def restart(page):
    """Restart the kernel, as a person does from the menu."""
    page.evaluate(f"async () => {{ await {KERNEL}.restart() }}")


def python(page, expression):
    """Return the repr of an expression in the kernel."""
    return page.evaluate(
        f"""expression => new Promise(resolve => {{
            const future = {KERNEL}.requestExecute({{ code: expression }});
            future.onIOPub = message => {{
                if (message.header.msg_type === 'execute_result') resolve(message.content.data['text/plain']);
                if (message.header.msg_type === 'error') resolve(message.content.evalue);
            }};
        }})""",
        expression,
    )


def wait_for(page, expression, value):
    """Wait until an expression in the kernel has this repr."""
    until(lambda: python(page, expression), value)


def until(look, value):
    """Look until what is seen equals a value."""
    end = time.monotonic() + WAIT_S
    while (found := look()) != value:
        assert time.monotonic() < end, f"{found!r} is not {value!r}"
