/* Labelling without a mouse: 1 to 9 choose a class, Enter or S skips, O asks for a second opinion.
   Without this script the same buttons do the same. */
document.addEventListener('keydown', (event) => {
  const form = document.getElementById('labelling')
  if (!form || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
  const typing = event.target.matches('input[type=text], input[type=search], select, textarea')
  const number = form.querySelector('input[name=value]')
  if (typing && event.target !== number) return
  const press = (button) => { if (button) { event.preventDefault(); button.click() } }
  const key = event.key.toLowerCase()
  if (number) {
    if (key === 'enter' && number.value.trim() === '') press(form.querySelector('[name=skip]'))
    if (key !== 's' && key !== 'o') return
  } else if (key >= '1' && key <= '9') {
    press(form.querySelectorAll('[name=value]')[Number(key) - 1])
    return
  }
  if (key === 's' || (key === 'enter' && !event.target.matches('a, button, summary'))) press(form.querySelector('[name=skip]'))
  if (key === 'o') press(form.querySelector('[name=second]'))
})
