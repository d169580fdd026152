import type * as Wire from '../wire/generated/api.js';

/**
 * The default image runs in a virtual environment of the asked Python version, below the directory that only this image has; a job
 * that runs as a plain process takes the Python of its host.
 */
export function pythonEnvironmentScript(python: Wire.PythonVersion): string {
  return [
    'if [ -z "${DSTACK_VENV_DIR:-}" ] && [ -d /dstack/run ]; then export DSTACK_VENV_DIR=/dstack/venv; fi',
    'if [ -n "${DSTACK_VENV_DIR:-}" ]; then',
    '  { mkdir -p "$DSTACK_VENV_DIR" && [ -w "$DSTACK_VENV_DIR" ]; } 2>/dev/null ||',
    '    sudo install -d -o "$(id -u)" -g "$(id -g)" "$DSTACK_VENV_DIR" &&',
    `    uv venv --quiet --clear --seed --prompt dstack --python ${python} "$DSTACK_VENV_DIR" &&`,
    '    . "$DSTACK_VENV_DIR/bin/activate" &&',
    '    if [ -w /dstack/profile ]; then echo ". $DSTACK_VENV_DIR/bin/activate" >>/dstack/profile; fi',
    'fi',
  ].join('\n');
}
